import * as l10n from '@vscode/l10n';
import * as z from 'zod';
import { messageOf } from '../../protocol/errors.ts';
import { imageColumn, imageColumnNotes, type ImageTable } from '../../protocol/imageTable.ts';
import {
  measureOf,
  measures,
  type Slice,
  slicesByColumn,
  slicesByNumber,
  slicesByPath,
} from '../../protocol/slices.ts';
import { fileName } from '../../charts/format.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export const sliceChoices = [...measures, 'path', 'column'] as const;
export type SliceChoice = (typeof sliceChoices)[number];

/** What images are told apart by; `pattern` is of paths, `column` is one of the table’s, its first where it has no such. */
export const slicesBySchema = z.object({
  by: z.enum(sliceChoices),
  pattern: z.string(),
  column: z.string().default(''),
});
export type SlicesBy = z.infer<typeof slicesBySchema>;

export const sliceTitles: Record<SliceChoice, string> = {
  size: l10n.t('Size'),
  brightness: l10n.t('Brightness'),
  sharpness: l10n.t('Sharpness'),
  path: l10n.t('Path'),
  column: l10n.t('Column of a CSV file'),
};

/** Slices, and what is to be known of them. */
export type ShownSlices = { slices: readonly Slice[]; notes: readonly string[] };

/** The slices of a test; none by a measure that it lacks, by an empty pattern, or by a column without a table. */
export function shownSlices(evaluation: ShownEvaluation, of: SlicesBy, table: ImageTable | undefined): ShownSlices {
  const { by, pattern } = of;
  if (by === 'column') return table === undefined ? { slices: [], notes: [] } : byColumn(evaluation, of, table);
  if (by === 'path') return { slices: pattern === '' ? [] : slicesByPath(evaluation, pattern), notes: [] };
  return { slices: slicesByNumber(evaluation.results, (result) => measureOf(result, by)), notes: [] };
}

function byColumn(evaluation: ShownEvaluation, of: SlicesBy, table: ImageTable): ShownSlices {
  const column = shownColumn(of, table);
  try {
    const found = imageColumn(table, column, evaluation);
    const slices = slicesByColumn(evaluation.results, ({ image }) => found.texts.get(image));
    const images = evaluation.results.length;
    return { slices, notes: imageColumnNotes(found, { file: fileName(table.file), column, images }) };
  } catch (error) {
    return { slices: [], notes: [messageOf(error)] };
  }
}

/** The column that is shown of a table. */
export function shownColumn({ column }: SlicesBy, { columns }: ImageTable): string {
  return columns.includes(column) ? column : (columns[0] ?? '');
}

export function sliceTitle(of: SlicesBy, name: string, table: ImageTable | undefined): string {
  const what = of.by === 'column' && table ? shownColumn(of, table) : sliceTitles[of.by];
  return `${what} ${name}`;
}
