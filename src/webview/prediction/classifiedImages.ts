import * as l10n from '@vscode/l10n';
import { count, images } from '../../charts/format.ts';
import { disagrees, type PredictionRow } from './predictionRows.ts';

function tally(rows: readonly PredictionRow[]) {
  const of = (kind: PredictionRow['kind']) => rows.filter((row) => row.kind === kind).length;
  return { classified: of('classified'), failed: of('failed'), unclassified: of('unclassified') };
}

/** What is said when a classification ends: `5 images classified, 4 could not be read`. */
export function classifiedImages(rows: readonly PredictionRow[]): string {
  const { classified, failed, unclassified } = tally(rows);
  return [
    classified === 1 ? l10n.t('1 image classified') : l10n.t('{0} images classified', count(classified)),
    ...(failed > 0 ? [l10n.t('{0} could not be read', count(failed))] : []),
    ...(unclassified > 0 ? [l10n.t('{0} not classified', count(unclassified))] : []),
  ].join(', ');
}

/** The line above the list, which shows `shown` of all images. */
export function listSummary(shown: readonly PredictionRow[], all: number): string {
  const { failed, unclassified } = tally(shown);
  const disagreeing = shown.filter(disagrees).length;
  return [
    shown.length === all ? images(all) : l10n.t('{0} of {1}', count(shown.length), images(all)),
    ...(disagreeing > 0 ? [l10n.t('crops disagree in {0}', count(disagreeing))] : []),
    ...(failed > 0 ? [l10n.t('{0} could not be read', count(failed))] : []),
    ...(unclassified > 0 ? [l10n.t('{0} not classified', count(unclassified))] : []),
  ].join(' · ');
}
