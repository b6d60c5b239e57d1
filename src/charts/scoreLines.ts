import type { CurvePoint } from '../protocol/classCurves.ts';
import type { Points } from './downsample.ts';

type ScorePoints = readonly CurvePoint[];

/**
 * A precision-recall curve as a line of steps, each of which holds up to its recall: the precision is that of the highest
 * threshold which reaches the recall, as average precision has it, so that the area below the line is the average precision.
 */
export function precisionRecallLine(points: ScorePoints): Points {
  const kept = points.filter(({ recall }, at) => at > 0 && recall > (points[at - 1]?.recall ?? 0));
  return {
    x: Float64Array.from([0, ...kept.map(({ recall }) => recall)]),
    y: Float64Array.from([kept[0]?.precision ?? 1, ...kept.map(({ precision }) => precision)]),
  };
}

/** A ROC curve as a line of steps, each of which holds from its false positive rate on: the most recall at that rate. */
export function rocLine(points: ScorePoints): Points {
  const kept = points.filter(({ falsePositiveRate }, at) => points[at + 1]?.falsePositiveRate !== falsePositiveRate);
  return {
    x: Float64Array.from(kept, ({ falsePositiveRate }) => falsePositiveRate),
    y: Float64Array.from(kept, ({ recall }) => recall),
  };
}

/**
 * The mean of lines of steps over all of 0 to 1 (macro average), at every place where one of them steps: of
 * precision-recall lines (`before`) or ROC lines (`after`).
 */
export function meanLine(lines: readonly Points[], step: 'before' | 'after'): Points {
  const isBefore = step === 'before';
  const steps = lines.flatMap(({ x, y }) =>
    Array.from({ length: Math.max(0, x.length - 1) }, (_, at) => ({
      // A value that holds up to its place changes behind it, one that holds from its place on changes there.
      place: x[isBefore ? at : at + 1] ?? 0,
      rise: ((y[at + 1] ?? 0) - (y[at] ?? 0)) / lines.length,
    })),
  );
  steps.sort((a, b) => a.place - b.place);
  let value = lines.reduce((sum, { y }) => sum + (y[0] ?? 0), 0) / lines.length;
  const points: [number, number][] = [[0, value]];
  for (let at = 0; at < steps.length;) {
    const place = steps[at]?.place ?? 0;
    if (isBefore) points.push([place, value]);
    for (; steps[at]?.place === place; at++) value += steps[at]?.rise ?? 0;
    if (!isBefore) points.push([place, value]);
  }
  points.push([1, value]);
  return { x: Float64Array.from(points, ([x]) => x), y: Float64Array.from(points, ([, y]) => y) };
}
