import * as l10n from '@vscode/l10n';
import { images } from '../../charts/format.ts';
import { svgCharts } from '../../charts/svgCharts.ts';
import { csv } from '../../protocol/csv.ts';
import { pngPicture } from '../components/pngPicture.ts';
import { themeColors } from '../components/themeColors.ts';
import type { CurvesFormat } from './curvesSection.ts';
import { curvesTitle, shareOfOwn } from './curvesTexts.ts';
import { scoreCharts, scorePoints, type CurvesOf } from './scoreCharts.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import type { ShownScores } from './shownScores.ts';

export type ExportedCurves = {
  evaluation: ShownEvaluation;
  scores: ShownScores;
  of: CurvesOf;
  /** What the page calls the checkpoint. */
  label: string;
};

const pictureWidth = 900;
const chartHeight = 520;
const pngScale = 2;

/** The curves as a file's content: text, or base64 for PNG. A mean of classes has no thresholds, so that CSV has each class. */
export async function exportCurves(format: CurvesFormat, curves: ExportedCurves): Promise<string> {
  if (format === 'csv') return curvesTable(curves);
  const { evaluation, scores, of, label } = curves;
  const title = curvesTitle(of, evaluation);
  const colors = themeColors();
  const { svg, width, height } = svgCharts({
    heading: `${label}: ${title}`,
    data: l10n.t('{0} images of {1} ({2})', evaluation.split, evaluation.data, images(evaluation.images)),
    charts: scoreCharts(scores, of, { label: title, own: shareOfOwn(of, evaluation, scores.classes), colors }),
    ...{ axis: 'recall', range: { min: 0, max: 1 }, marks: undefined, width: pictureWidth, chartHeight, colors },
  });
  return format === 'svg' ? svg : pngPicture(svg, width, height, pngScale);
}

function curvesTable({ scores, of, evaluation }: ExportedCurves): string {
  const heading = ['class', 'name', 'threshold', 'precision', 'recall', 'false positive rate'];
  const curves =
    of === 'micro'
      ? [{ folder: '', name: curvesTitle(of, evaluation), points: scorePoints(scores, of) }]
      : scores.curves().filter(({ index }) => of === 'macro' || index === of);
  return csv([
    heading,
    ...curves.flatMap(({ folder, name, points }) =>
      points.map((at) => [folder, name, at.threshold, at.precision, at.recall, at.falsePositiveRate]),
    ),
  ]);
}
