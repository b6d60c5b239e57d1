import * as l10n from '@vscode/l10n';

/** What the cells of a confusion matrix show. */
export const cellValues = ['counts', 'rows'] as const;
export type CellValue = (typeof cellValues)[number];

export const cellValueTitles: Record<CellValue, string> = {
  counts: l10n.t('Number of images'),
  rows: l10n.t('Percent of the row'),
};

/** A cell's text: the number of images, or their share of the row in whole percent; empty without an image. */
export function cellText(count: number, share: number, value: CellValue): string {
  if (count === 0) return '';
  if (value === 'counts') return String(count);
  const whole = Math.round(share * 100);
  if (whole === 0) return '<1';
  return whole === 100 && share < 1 ? '>99' : String(whole);
}
