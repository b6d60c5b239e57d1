import { evenlySpaced } from '../data/evenlySpaced.ts';
import type { FeatureRows } from '../features/softmaxHead.ts';

/** Images that may be labelled next, and what a head says of them. */
export interface Candidates {
  /** Rows of length 1. */
  readonly unit: FeatureRows;
  /** `[rows, classes]`; undefined without a head, which makes all images equally uncertain. */
  readonly probabilities: Float32Array | undefined;
  readonly classes: number;
  /** Rows that have no label. */
  readonly open: readonly number[];
  /** Rows that have one. */
  readonly labelled: readonly number[];
}

/** Candidates among which those that are unlike each other are chosen, for each that is asked for. */
const choiceOfEach = 2;
/** Open rows and labelled ones that are compared with each other while there is no head: of more, evenly spaced ones. */
const comparedWithoutHead = 1000;

/**
 * The rows whose labels would teach a head most, the first of them most: the least sure ones by the distance of their two
 * likeliest classes (margin sampling: Scheffer, Decomain and Wrobel 2001), of which those come first that are unlike what
 * has been chosen before them (the farthest-first traversal of k-centre: Sener and Savarese 2018, here weighted by
 * uncertainty), so that the head learns nothing twice where several are labelled before it is fitted again.
 */
export function nextToLabel(candidates: Candidates, most: number): number[] {
  const { unit, open } = candidates;
  const { width, features } = unit;
  const sure = uncertainties(candidates);
  const byUncertainty = [...open.keys()].sort((a, b) => (sure[b] ?? 0) - (sure[a] ?? 0) || a - b);
  const listed = candidates.probabilities
    ? byUncertainty.slice(0, most * choiceOfEach)
    : evenlySpaced([...open.keys()], Math.max(most, comparedWithoutHead));
  const rowAt = (place: number) => {
    const row = open[place] ?? 0;
    return features.subarray(row * width, (row + 1) * width);
  };
  const distances = new Float64Array(listed.length).fill(2);
  const moveAwayFrom = (other: Float32Array) => {
    listed.forEach((place, at) => {
      const own = rowAt(place);
      let cosine = 0;
      for (let column = 0; column < width; column++) cosine += (own[column] ?? 0) * (other[column] ?? 0);
      distances[at] = Math.min(distances[at] ?? 0, Math.max(0, 1 - cosine));
    });
  };
  if (!candidates.probabilities) for (const row of evenlySpaced(candidates.labelled, comparedWithoutHead)) moveAwayFrom(features.subarray(row * width, (row + 1) * width)); // prettier-ignore
  const chosen: number[] = [];
  const isLeft = new Uint8Array(listed.length).fill(1);
  while (chosen.length < Math.min(most, listed.length)) {
    let best = -1;
    let bestValue = -1;
    listed.forEach((place, at) => {
      const value = (sure[place] ?? 0) * (distances[at] ?? 0);
      if (isLeft[at] === 1 && value > bestValue) [best, bestValue] = [at, value];
    });
    const place = listed[best] ?? 0;
    isLeft[best] = 0;
    chosen.push(open[place] ?? 0);
    moveAwayFrom(rowAt(place));
  }
  return chosen;
}

/** 1 less the distance of the two likeliest classes' probabilities, of each open row. */
export function uncertainties({ probabilities, classes, open }: Omit<Candidates, 'unit' | 'labelled'>): Float64Array {
  return Float64Array.from(open, (row) => {
    if (!probabilities) return 1;
    let [first, second] = [0, 0];
    for (const probability of probabilities.subarray(row * classes, (row + 1) * classes)) {
      if (probability > first) [first, second] = [probability, first];
      else if (probability > second) second = probability;
    }
    return Math.min(1, Math.max(0, 1 - (first - second)));
  });
}
