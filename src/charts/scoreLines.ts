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

/** Places at which lines are averaged. */
const meanPlaces = 200;

/**
 * The mean of lines of steps over all of 0 to 1 (macro average): of precision-recall lines (`before`) or ROC lines
 * (`after`).
 */
export function meanLine(lines: readonly Points[], step: 'before' | 'after'): Points {
  const x = Float64Array.from({ length: meanPlaces + 1 }, (_, at) => at / meanPlaces);
  const y = x.map((place) => {
    const sum = lines.reduce((all, line) => all + (step === 'before' ? valueUpTo(line, place) : valueFrom(line, place)), 0); // prettier-ignore
    return sum / lines.length;
  });
  return { x, y };
}

/** Of the first point at `place` or behind it. Rounding may leave the last a little before its place. */
function valueUpTo({ x, y }: Points, place: number): number {
  const at = x.findIndex((each) => each >= place - 1e-12);
  return (at < 0 ? y.at(-1) : y[at]) ?? 0;
}

/** Of the last point at `place` or before it. */
function valueFrom({ x, y }: Points, place: number): number {
  return y[x.findLastIndex((each) => each <= place + 1e-12)] ?? 0;
}
