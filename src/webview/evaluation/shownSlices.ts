import * as l10n from '@vscode/l10n';
import * as z from 'zod';
import { measureOf, measures, type Slice, slicesByNumber, slicesByPath } from '../../protocol/slices.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export const sliceChoices = [...measures, 'path'] as const;
export type SliceChoice = (typeof sliceChoices)[number];

/** What images are told apart by; `pattern` is of paths. */
export const slicesBySchema = z.object({ by: z.enum(sliceChoices), pattern: z.string() });
export type SlicesBy = z.infer<typeof slicesBySchema>;

export const sliceTitles: Record<SliceChoice, string> = {
  size: l10n.t('Size'),
  brightness: l10n.t('Brightness'),
  sharpness: l10n.t('Sharpness'),
  path: l10n.t('Path'),
};

/** The slices of a test; none by a measure that it lacks, or by an empty pattern. */
export function shownSlices(evaluation: ShownEvaluation, { by, pattern }: SlicesBy): readonly Slice[] {
  if (by !== 'path') return slicesByNumber(evaluation.results, (result) => measureOf(result, by));
  return pattern === '' ? [] : slicesByPath(evaluation, pattern);
}

export function sliceTitle({ by }: SlicesBy, name: string): string {
  return `${sliceTitles[by]} ${name}`;
}
