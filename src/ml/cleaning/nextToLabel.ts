import { evenlySpaced } from '../data/evenlySpaced.ts';
import type { RidgeFit } from '../features/ridgeHead.ts';
import type { FeatureRows } from '../features/softmaxHead.ts';

/** What a head says that was fitted to the labels as they are. */
export interface FittedHead extends Pick<RidgeFit, 'probabilities'> {
  readonly classes: number;
}

/** Images that may be labelled next. */
export interface Candidates {
  /** Rows of length 1. */
  readonly unit: FeatureRows;
  /** Undefined while there are too few labels for one. */
  readonly head: FittedHead | undefined;
  /** Rows that have no label. */
  readonly open: readonly number[];
  /** Rows that have one. */
  readonly labelled: readonly number[];
}

/** Rows that are compared with each other: of more, the least sure ones, without a head evenly spaced ones. */
const compared = 1000;
/** Cosine from which on two images teach the same. */
const alike = 0.8;

/** The rows whose labels would teach a head most, the first of them most: of those with a head the same however many are asked for. */
export function nextToLabel(candidates: Candidates, most: number): number[] {
  return candidates.head ? leastSureFirst(candidates, candidates.head, most) : farthestFirst(candidates, most);
}

/**
 * The least sure rows by the distance of their two likeliest classes (margin sampling: Scheffer, Decomain and Wrobel 2001).
 * One that looks like a row ahead of it comes after all that do not, so that nothing is asked twice before the head is
 * fitted again.
 */
function leastSureFirst({ unit, open }: Candidates, { probabilities, classes }: FittedHead, most: number): number[] {
  const unsure = uncertainties(probabilities, classes, open);
  const byUncertainty = [...open.keys()].sort((a, b) => (unsure[b] ?? 0) - (unsure[a] ?? 0) || a - b);
  const rows = byUncertainty.map((place) => open[place] ?? 0);
  const [chosen, late]: [number[], number[]] = [[], []];
  for (const row of rows.slice(0, compared)) {
    if (chosen.length >= most) break;
    (chosen.some((other) => cosineOf(unit, row, other) >= alike) ? late : chosen).push(row);
  }
  return [...chosen, ...late, ...rows.slice(compared)].slice(0, most);
}

/** Rows that are unlike those with labels and each other (the farthest-first traversal of k-centre: Sener and Savarese 2018). */
function farthestFirst({ unit, open, labelled }: Candidates, most: number): number[] {
  const listed = evenlySpaced(open, Math.max(most, compared));
  const distances = new Float64Array(listed.length).fill(2);
  const moveAwayFrom = (other: number) => {
    listed.forEach((row, at) => (distances[at] = Math.min(distances[at] ?? 0, Math.max(0, 1 - cosineOf(unit, row, other))))); // prettier-ignore
  };
  for (const row of evenlySpaced(labelled, compared)) moveAwayFrom(row);
  const chosen: number[] = [];
  while (chosen.length < Math.min(most, listed.length)) {
    const farthest = distances.indexOf(distances.reduce((a, b) => Math.max(a, b)));
    const row = listed[farthest] ?? 0;
    chosen.push(row);
    moveAwayFrom(row);
    distances[farthest] = -1;
  }
  return chosen;
}

function cosineOf({ width, features }: FeatureRows, row: number, other: number): number {
  const [own, others] = [row * width, other * width];
  let cosine = 0;
  for (let column = 0; column < width; column++) cosine += (features[own + column] ?? 0) * (features[others + column] ?? 0); // prettier-ignore
  return cosine;
}

/** 1 less the distance of the two likeliest classes' probabilities, of each of some rows. */
export function uncertainties(probabilities: Float32Array, classes: number, rows: readonly number[]): Float64Array {
  return Float64Array.from(rows, (row) => {
    let [first, second] = [0, 0];
    for (const probability of probabilities.subarray(row * classes, (row + 1) * classes)) {
      if (probability > first) [first, second] = [probability, first];
      else if (probability > second) second = probability;
    }
    return Math.min(1, Math.max(0, 1 - (first - second)));
  });
}
