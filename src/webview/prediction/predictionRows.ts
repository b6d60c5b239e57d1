import type { FailedPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import type { ShownPrediction } from '../../protocol/predictionPanel.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { csv, type CsvValue } from '../../protocol/csv.ts';
import { fileName } from '../../charts/format.ts';
import { sortedRows } from '../components/sortRows.ts';

/** A row of the list of images. */
export type PredictionRow =
  | ({ kind: 'classified'; image: string } & ShownPrediction)
  | ({ kind: 'failed' } & FailedPrediction)
  | { kind: 'unclassified'; image: string };

export const rowOrders = ['name', 'probability', 'agreement', 'class'] as const;
export type RowOrder = (typeof rowOrders)[number];

export type RowChoice = { order: RowOrder; descending: boolean; filter: string; onlyDisagreeing: boolean };

/** What of a prediction is shown with so many crops: of five, the one in the centre is a prediction of its own. */
export function seenWith(row: PredictionRow, crops: CropCount): PredictionRow {
  if (row.kind !== 'classified' || crops >= row.prediction.crops.length) return row;
  const center = row.prediction.crops.find(({ crop }) => crop === 'center');
  return center === undefined ? row : { ...row, prediction: { ...row.prediction, crops: [center], mean: center.top } };
}

/** How many of the crops put the mean's first class first, and of how many. */
export function agreement({ crops, mean }: ImagePrediction): { agreeing: number; of: number } {
  const agreeing = crops.filter(({ top }) => top[0]?.index === mean[0]?.index).length;
  return { agreeing, of: crops.length };
}

/** The rows that the filter leaves, in order; what is not classified comes last unless ordered by name. */
export function chosenRows(rows: readonly PredictionRow[], choice: RowChoice): PredictionRow[] {
  const kept = rows.filter((row) => passes(row, choice));
  return sortedRows(kept, (row) => orderValue(row, choice), choice.descending);
}

function passes(row: PredictionRow, { filter, onlyDisagreeing }: RowChoice): boolean {
  if (onlyDisagreeing && !disagrees(row)) return false;
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return true;
  const first = row.kind === 'classified' ? row.prediction.mean[0]?.name : row.kind === 'failed' ? row.error : '';
  return [fileName(row.image), first ?? ''].some((text) => text.toLowerCase().includes(wanted));
}

/** Whether some of its crops say another class than their mean. */
export function disagrees(row: PredictionRow): boolean {
  if (row.kind !== 'classified') return false;
  const { agreeing, of } = agreement(row.prediction);
  return agreeing < of;
}

function orderValue(row: PredictionRow, { order, descending }: RowChoice): string | number {
  if (order === 'name') return fileName(row.image);
  const last = descending ? -Infinity : Infinity;
  if (order === 'class')
    return row.kind === 'classified' ? (row.prediction.mean[0]?.name ?? '') : descending ? '' : '\uffff';
  if (row.kind !== 'classified') return last;
  if (order === 'probability') return row.prediction.mean[0]?.probability ?? last;
  const { agreeing, of } = agreement(row.prediction);
  return agreeing / of;
}

/** One row per image: the first classes of the mean, how many crops agree, or why there is none. */
export function predictionsCsv(rows: readonly PredictionRow[]): string {
  const ranks = Math.max(0, ...rows.map((row) => (row.kind === 'classified' ? row.prediction.mean.length : 0)));
  const rankHeadings = Array.from({ length: ranks }, (_, rank) =>
    ['class', 'folder', 'index', 'probability'].map((what) => `${what}${rank + 1}`),
  ).flat();
  return csv([['image', ...rankHeadings, 'agreeing', 'crops', 'error'], ...rows.map((row) => csvRow(row, ranks))]);
}

function csvRow(row: PredictionRow, ranks: number): CsvValue[] {
  if (row.kind !== 'classified') {
    const error = row.kind === 'failed' ? row.error : 'not classified';
    return [row.image, ...Array.from({ length: ranks * 4 + 2 }, () => undefined), error];
  }
  const { mean } = row.prediction;
  const { agreeing, of } = agreement(row.prediction);
  const ranking = Array.from({ length: ranks }, (_, rank) => {
    const entry = mean[rank];
    return [entry?.name, entry?.folder, entry?.index, entry?.probability];
  }).flat();
  return [row.image, ...ranking, agreeing, of, undefined];
}
