import type { Curve } from '../../charts/curve.ts';
import type { ValidationColumn } from '../../charts/runCurves.ts';
import { runStyle } from '../../charts/runStyle.ts';
import { svgCharts, type SvgChart } from '../../charts/svgCharts.ts';
import type { StudyResult } from './studyResults.ts';

/** A picture beside the text of a study. */
export interface StudyFigure {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

/** Wide enough for six curves, and still read where a preview makes it half as wide. */
const size = { width: 680, chartHeight: 340 };
/** On white, so that a picture looks the same wherever it is put. */
const colors = { foreground: '#1f2328', muted: '#59636e', background: '#ffffff', grid: '#d1d9e0' };
const curveColors = ['#0969da', '#bc4c00', '#1a7f37', '#8250df', '#cf222e', '#6e7781'];

/** The losses and the validation accuracy of a study’s runs by step, as the report draws them: a point at each validation. */
export function studyFigures(heading: string, data: string, results: readonly StudyResult[]): StudyFigure[] {
  const last = Math.max(1, ...results.map(({ run }) => run.curves.validations.values('step').at(-1) ?? 0));
  const picture = (chart: SvgChart) =>
    svgCharts({
      ...{ heading, data, charts: [chart], axis: 'step', marks: undefined, ...size, colors },
      range: { min: 0, max: last * 1.02 },
    }).svg;
  const kind = { log: false, percent: false };
  const losses = {
    kind: { ...kind, title: 'Training and validation loss', values: 'Loss' },
    curves: results.flatMap((result, place) => [
      {
        ...curveOf(result, place, 'trainLoss'),
        label: `${result.label}: training`,
        dash: [5, 4],
        width: 1.5,
        marker: undefined,
      },
      { ...curveOf(result, place, 'validLoss'), label: `${result.label}: validation` },
    ]),
  };
  const accuracy = {
    kind: { ...kind, title: 'Validation accuracy', values: 'Accuracy', percent: true },
    curves: results.map((result, place) => curveOf(result, place, 'validAccuracy')),
  };
  return [
    { file: 'losses.svg', title: losses.kind.title, svg: picture(losses) },
    { file: 'accuracy.svg', title: accuracy.kind.title, svg: picture(accuracy) },
  ];
}

function curveOf({ label, run }: StudyResult, place: number, column: ValidationColumn): Curve {
  const { color, marker } = runStyle(place, curveColors.length);
  const { validations } = run.curves;
  const points = () => ({ x: validations.values('step'), y: validations.values(column) });
  return { label, color: curveColors[color] ?? '#000000', width: 2, dash: [], alpha: 1, marker, points };
}
