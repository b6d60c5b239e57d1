import type { FailedPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import type { ShownPrediction } from '../../protocol/predictionPanel.ts';
import { csv, type CsvValue } from '../components/csv.ts';
import { fileName } from '../components/format.ts';
import { sortedRows } from '../components/sortRows.ts';

/** A row of the list of images. */
export type PredictionRow =
  ({ kind: 'classified'; image: string } & ShownPrediction) | ({ kind: 'failed' } & FailedPrediction);

export const rowOrders = ['name', 'probability', 'agreement', 'class'] as const;
export type RowOrder = (typeof rowOrders)[number];

export type RowChoice = { order: RowOrder; descending: boolean; filter: string; onlyDisagreeing: boolean };

/** How many of the crops put the mean's first class first, and of how many. */
export function agreement({ crops, mean }: ImagePrediction): { agreeing: number; of: number } {
  const agreeing = crops.filter(({ top }) => top[0]?.index === mean[0]?.index).length;
  return { agreeing, of: crops.length };
}

/** The rows that the filter leaves, in order; what could not be classified comes last unless ordered by name. */
export function chosenRows(rows: readonly PredictionRow[], choice: RowChoice): PredictionRow[] {
  const kept = rows.filter((row) => passes(row, choice));
  return sortedRows(kept, (row) => orderValue(row, choice), choice.descending);
}

function passes(row: PredictionRow, { filter, onlyDisagreeing }: RowChoice): boolean {
  if (onlyDisagreeing && !(row.kind === 'classified' && disagrees(row.prediction))) return false;
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return true;
  const first = row.kind === 'classified' ? row.prediction.mean[0]?.name : row.error;
  return [fileName(row.image), first ?? ''].some((text) => text.toLowerCase().includes(wanted));
}

function disagrees(prediction: ImagePrediction): boolean {
  const { agreeing, of } = agreement(prediction);
  return agreeing < of;
}

function orderValue(row: PredictionRow, { order, descending }: RowChoice): string | number {
  if (order === 'name') return fileName(row.image);
  const last = descending ? -Infinity : Infinity;
  if (order === 'class')
    return row.kind === 'classified' ? (row.prediction.mean[0]?.name ?? '') : descending ? '' : '\uffff';
  if (row.kind === 'failed') return last;
  if (order === 'probability') return row.prediction.mean[0]?.probability ?? last;
  const { agreeing, of } = agreement(row.prediction);
  return agreeing / of;
}

/** A row an image: the first classes of the mean, how many crops agree, or why there is none. */
export function predictionsCsv(rows: readonly PredictionRow[]): string {
  const ranks = Math.max(0, ...rows.map((row) => (row.kind === 'classified' ? row.prediction.mean.length : 0)));
  const rankHeadings = Array.from({ length: ranks }, (_, rank) =>
    ['class', 'folder', 'index', 'probability'].map((what) => `${what}${rank + 1}`),
  ).flat();
  return csv([['image', ...rankHeadings, 'agreeing', 'crops', 'error'], ...rows.map((row) => csvRow(row, ranks))]);
}

function csvRow(row: PredictionRow, ranks: number): CsvValue[] {
  if (row.kind === 'failed') {
    return [row.image, ...Array.from({ length: ranks * 4 + 2 }, () => undefined), row.error];
  }
  const { mean } = row.prediction;
  const { agreeing, of } = agreement(row.prediction);
  const ranking = Array.from({ length: ranks }, (_, rank) => {
    const entry = mean[rank];
    return [entry?.name, entry?.folder, entry?.index, entry?.probability];
  }).flat();
  return [row.image, ...ranking, agreeing, of, undefined];
}
