import * as l10n from '@vscode/l10n';
import type { ChartColors } from '../../charts/chartColors.ts';
import type { Curve } from '../../charts/curve.ts';
import type { Points } from '../../charts/downsample.ts';
import { precisionRecallLine, rocLine } from '../../charts/scoreLines.ts';
import type { SvgChart } from '../../charts/svgCharts.ts';
import type { CurvePoint } from '../../protocol/classCurves.ts';
import type { ShownScores } from './shownScores.ts';

/** Whose curves are shown: those of a class, of all classes together, or the mean of those of all classes. */
export type CurvesOf = number | 'micro' | 'macro';

const kinds = {
  precisionRecall: { title: l10n.t('Precision and recall'), values: l10n.t('Precision') },
  roc: { title: l10n.t('ROC'), values: l10n.t('True positive rate') },
};
const share = { log: false, percent: true, whole: true };

/** The points of a curve; none of a mean, which has no thresholds, and of a class without images. */
export function scorePoints(scores: ShownScores, of: CurvesOf): readonly CurvePoint[] {
  if (of === 'macro') return [];
  return of === 'micro' ? scores.micro().points : (scores.curves().find(({ index }) => index === of)?.points ?? []);
}

/** The precision-recall and the ROC chart, with what chance would give. `own` is the share of the own among all that is scored. */
export function scoreCharts(
  scores: ShownScores,
  of: CurvesOf,
  { label, own, colors }: { label: string; own: number | undefined; colors: ChartColors },
): (SvgChart & { axis: 'recall' | 'falsePositiveRate' })[] {
  const lines =
    of === 'macro'
      ? scores.means()
      : { recall: precisionRecallLine(scorePoints(scores, of)), falsePositiveRate: rocLine(scorePoints(scores, of)) };
  const curve = (points: Points, step: 'before' | 'after'): Curve => {
    return { label, color: colors.curves[0] ?? colors.foreground, width: 2, dash: [], alpha: 1, points: () => points, step }; // prettier-ignore
  };
  const chance = (from: number, to: number): Curve => {
    const points = { x: Float64Array.of(0, 1), y: Float64Array.of(from, to) };
    return { label: l10n.t('By chance'), color: colors.muted, width: 1, dash: [4, 4], alpha: 1, points: () => points };
  };
  return [
    {
      axis: 'recall',
      kind: { ...kinds.precisionRecall, ...share },
      curves: [curve(lines.recall, 'before'), ...(own === undefined ? [] : [chance(own, own)])],
    },
    {
      axis: 'falsePositiveRate',
      kind: { ...kinds.roc, ...share },
      curves: [curve(lines.falsePositiveRate, 'after'), chance(0, 1)],
    },
  ];
}

/** The point that a threshold is at: the last whose own threshold is not below it. */
export function pointAt(points: readonly CurvePoint[], threshold: number): CurvePoint | undefined {
  return points.findLast((point) => point.threshold === undefined || point.threshold >= threshold);
}

/** The threshold at a place of a chart: the highest that reaches it. */
export function thresholdAt(
  points: readonly CurvePoint[],
  axis: 'recall' | 'falsePositiveRate',
  place: number,
): number | undefined {
  const reached = points.filter(({ threshold }) => threshold !== undefined);
  const found =
    axis === 'recall'
      ? reached.find((point) => point.recall >= place)
      : reached.findLast((point) => point.falsePositiveRate <= place);
  return (found ?? (axis === 'recall' ? reached.at(-1) : reached[0]))?.threshold;
}
