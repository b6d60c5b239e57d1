import type { Evaluation } from './evaluation.ts';

/** What is known of an image: how sure the prediction was, and whether it was right. */
type Predicted = Pick<Evaluation['results'][number], 'actual' | 'predicted' | 'probability'>;

/** A bar of the reliability diagram: the images whose confidence is above `from`, up to and with `to`. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly images: number;
  /** Means over the bin's images; 0 where it has none. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Calibration {
  /** Expected calibration error, from 0 to 1: the mean over images of how far their bin's accuracy is from its confidence. */
  readonly expectedError: number;
  /** The bins in order, those without images too. */
  readonly bins: readonly CalibrationBin[];
}

/** As in Guo et al. */
const binCount = 15;

/**
 * How well the probability of the predicted class (its confidence) says how often it is right: the expected calibration
 * error and the reliability diagram over 15 bins of equal width (Guo et al. 2017, "On Calibration of Modern Neural
 * Networks"), as scikit-learn's `calibration_curve` of the right predictions makes them. It is of the images that were
 * tested: those that do not decode are not among them. With few images the error is too high, since small bins scatter.
 */
export function calibration(results: readonly Predicted[]): Calibration {
  const sums = Array.from({ length: binCount }, () => ({ images: 0, confidence: 0, right: 0 }));
  for (const { actual, predicted, probability } of results) {
    const bin = sums[binOf(probability)];
    if (!bin) continue;
    bin.images++;
    bin.confidence += probability;
    bin.right += Number(actual === predicted);
  }
  const distance = sums.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0);
  return {
    expectedError: results.length === 0 ? 0 : distance / results.length,
    bins: sums.map(({ images, confidence, right }, place) => ({
      from: place / binCount,
      to: (place + 1) / binCount,
      images,
      confidence: images === 0 ? 0 : confidence / images,
      accuracy: images === 0 ? 0 : right / images,
    })),
  };
}

/** The place of a confidence's bin; one on the edge of two is in the lower. */
export function binOf(probability: number): number {
  return Math.min(binCount - 1, Math.max(0, Math.ceil(probability * binCount) - 1));
}
