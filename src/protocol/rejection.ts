import type { Evaluation } from './evaluation.ts';

type Predicted = Pick<Evaluation['results'][number], 'actual' | 'predicted' | 'probability'>;

/** What becomes of images if only predictions with a confidence of `threshold` or more are accepted. */
export interface Acceptance {
  readonly threshold: number;
  readonly accepted: number;
  /** Share of the images that are accepted. */
  readonly coverage: number;
  /** Share of the accepted images that are predicted wrong (the risk); 0 if none is accepted. */
  readonly error: number;
}

export interface RiskCoverage {
  /** At the least coverages that reach 100, 95, 90, 80, 70 and 50 %: images of the same confidence go together. */
  readonly points: readonly Acceptance[];
  /** Area under the risk-coverage curve: the mean of the error over the numbers of accepted images. Lower is better. */
  readonly area: number;
}

const shownCoverages = [1, 0.95, 0.9, 0.8, 0.7, 0.5];

/**
 * What it costs to reject the images whose prediction is least sure (selective classification, El-Yaniv and Wiener 2010;
 * Geifman and El-Yaniv 2017). It is of the images that were tested, all of which have a known class: what an image of none
 * of the classes would get is not among the figures. Images of the same confidence count in the area as if in random order
 * among each other.
 */
export function riskCoverage(results: readonly Predicted[]): RiskCoverage {
  const steps = acceptances(results);
  let [area, before, wrongBefore] = [0, 0, 0];
  for (const { accepted, error } of steps) {
    const wrong = error * accepted;
    for (let more = 1; more <= accepted - before; more++) {
      const share = more / (accepted - before);
      area += (wrongBefore + share * (wrong - wrongBefore)) / (before + more);
    }
    [before, wrongBefore] = [accepted, wrong];
  }
  return {
    points: shownCoverages.flatMap((least) => steps.find(({ coverage }) => coverage >= least) ?? []),
    area: results.length === 0 ? 0 : area / results.length,
  };
}

/**
 * The confidence threshold that accepts most images of those whose accepted images err no more than `targetError` (0 to 1):
 * 0 if all may be accepted, else halfway between the least sure image that is accepted and the surest that is not, so that
 * an export whose probabilities differ in the last digits decides alike. Undefined where no threshold reaches it, since the
 * surest are wrong. A threshold holds for images like those that it was chosen by, so choose it by validation images and
 * look at others.
 */
export function rejectThreshold(results: readonly Predicted[], targetError: number): Acceptance | undefined {
  const steps = acceptances(results);
  const last = steps.findLastIndex(({ error }) => error <= targetError);
  const [found, next] = [steps[last], steps[last + 1]];
  if (found === undefined) return undefined;
  if (next === undefined) return { ...found, threshold: 0 };
  const halfway = (found.threshold + next.threshold) / 2;
  // Of two neighbors among numbers, half the way is one of them.
  return { ...found, threshold: halfway > next.threshold ? halfway : found.threshold };
}

/** What a threshold does to images that it was not chosen by. */
export function acceptedAt(results: readonly Predicted[], threshold: number): Acceptance {
  const accepted = results.filter(({ probability }) => probability >= threshold);
  const wrong = accepted.filter(({ actual, predicted }) => actual !== predicted).length;
  return {
    threshold,
    accepted: accepted.length,
    coverage: results.length === 0 ? 0 : accepted.length / results.length,
    error: accepted.length === 0 ? 0 : wrong / accepted.length,
  };
}

/** One for each confidence that an image has, the highest first. */
function acceptances(results: readonly Predicted[]): Acceptance[] {
  const sorted = [...results].sort((a, b) => b.probability - a.probability);
  let wrong = 0;
  return sorted.flatMap(({ actual, predicted, probability }, place) => {
    wrong += Number(actual !== predicted);
    if (sorted[place + 1]?.probability === probability) return [];
    const accepted = place + 1;
    return [{ threshold: probability, accepted, coverage: accepted / sorted.length, error: wrong / accepted }];
  });
}
