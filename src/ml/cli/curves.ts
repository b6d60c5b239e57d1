import asciichart from 'asciichart';

/** One validation of a run, as far as its curves need it. */
export interface CurvePoint {
  readonly step: number;
  readonly trainLoss: number;
  readonly validLoss: number;
  readonly validAccuracy: number;
}

const plotHeight = 10;
const axisWidth = 14;

/**
 * Losses and accuracy of a run drawn with characters, `width` columns wide. Empty for fewer than two validations,
 * which make no curve.
 */
export function drawCurves(points: readonly CurvePoint[], width: number, color: boolean): string {
  if (points.length < 2) return '';
  const columns = Math.max(20, Math.min(100, width) - axisWidth);
  const series = (of: (point: CurvePoint) => number) => resample(points, of, columns);
  const losses = asciichart.plot([series((point) => point.trainLoss), series((point) => point.validLoss)], {
    height: plotHeight,
    ...(color ? { colors: [asciichart.blue, asciichart.yellow] } : {}),
  });
  const accuracy = asciichart.plot(
    series((point) => point.validAccuracy),
    {
      height: plotHeight / 2,
      ...(color ? { colors: [asciichart.green] } : {}),
    },
  );
  const last = points.at(-1);
  const mark = (name: string, code: string, value: number | undefined) => {
    const text = `${name} (last ${value?.toFixed(3) ?? ''})`;
    return color ? asciichart.colored(text, code) : text;
  };
  const training = mark('training loss', asciichart.blue, last?.trainLoss);
  const validation = mark('validation loss', asciichart.yellow, last?.validLoss);
  const steps = `steps ${points[0]?.step ?? 0} to ${last?.step ?? 0}`;
  const accurate = mark('validation accuracy', asciichart.green, last?.validAccuracy);
  return `${steps}\n${training}\n${validation}\n${losses}\n${accurate}\n${accuracy}`;
}

/** Values at `columns` even distances over the steps, linear between the points. */
export function resample(points: readonly CurvePoint[], of: (point: CurvePoint) => number, columns: number): number[] {
  const first = points[0]?.step ?? 0;
  const span = (points.at(-1)?.step ?? 0) - first;
  let right = 1;
  return Array.from({ length: columns }, (_, column) => {
    const step = first + (span * column) / (columns - 1);
    while (right < points.length - 1 && (points[right]?.step ?? 0) < step) right++;
    return interpolate(points[right - 1], points[right], step, of);
  });
}

function interpolate(
  a: CurvePoint | undefined,
  b: CurvePoint | undefined,
  step: number,
  of: (point: CurvePoint) => number,
): number {
  if (!a || !b) return NaN;
  const share = b.step === a.step ? 1 : Math.min(1, Math.max(0, (step - a.step) / (b.step - a.step)));
  return of(a) + (of(b) - of(a)) * share;
}
