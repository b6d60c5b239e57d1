import { count, images } from '../components/format.ts';
import { disagrees, type PredictionRow } from './predictionRows.ts';

function tally(rows: readonly PredictionRow[]) {
  const of = (kind: PredictionRow['kind']) => rows.filter((row) => row.kind === kind).length;
  return { classified: of('classified'), failed: of('failed'), unclassified: of('unclassified') };
}

/** What is said when a classification ends: `5 images classified, 4 could not be read`. */
export function classifiedImages(rows: readonly PredictionRow[]): string {
  const { classified, failed, unclassified } = tally(rows);
  return [
    `${images(classified)} classified`,
    ...(failed > 0 ? [`${count(failed)} could not be read`] : []),
    ...(unclassified > 0 ? [`${count(unclassified)} not classified`] : []),
  ].join(', ');
}

/** The line above the list, which shows `shown` of all images. */
export function listSummary(shown: readonly PredictionRow[], all: number): string {
  const { failed, unclassified } = tally(shown);
  const disagreeing = shown.filter(disagrees).length;
  return [
    shown.length === all ? images(all) : `${count(shown.length)} of ${images(all)}`,
    ...(disagreeing > 0 ? [`crops disagree in ${count(disagreeing)}`] : []),
    ...(failed > 0 ? [`${count(failed)} could not be read`] : []),
    ...(unclassified > 0 ? [`${count(unclassified)} not classified`] : []),
  ].join(' · ');
}
