import type { RunRecord } from '../../../protocol/runRecord.ts';
import { afterEpoch, earlyStopStart, type EarlyStopState } from './earlyStop.ts';
import type { Metrics } from './metrics.ts';
import type { MeasuredOn } from './validator.ts';

/** A place in a run, and what has been gathered on the way there; all that a resume needs besides weights. */
export interface Position {
  /** Optimizer steps taken. */
  step: number;
  /** Whole epochs done. */
  epoch: number;
  /** Batches of the present epoch that have been trained on. */
  batchInEpoch: number;
  /** Sum of the losses of the images since the last validation, and how many. */
  trainLoss: { sum: number; images: number };
  earlyStop: EarlyStopState;
  best: NonNullable<RunRecord['best']> | undefined;
  /** The validation images that `best` and `earlyStop` are of. */
  measuredOn: MeasuredOn | undefined;
}

/** Epochs done, with the fraction of the present one. */
export function epochAt({ epoch, batchInEpoch }: Position, stepsPerEpoch: number): number {
  return epoch + batchInEpoch / stepsPerEpoch;
}

/** Moves past one optimizer step over `images` of batch `index` of the epoch, whose mean loss was `loss`. */
export function passStep(position: Position, index: number, loss: number, images: number): void {
  position.step++;
  position.batchInEpoch = index + 1;
  position.trainLoss.sum += loss * images;
  position.trainLoss.images += images;
}

/**
 * Moves past a validation, at the end of an epoch or in the middle of it. `better` says whether it is the best so far,
 * and `trainLoss` is the mean since the one before; undefined without a step in between.
 */
export function passValidation(
  position: Position,
  metrics: Metrics,
  endOfEpoch: boolean,
): { readonly better: boolean; readonly trainLoss: number | undefined } {
  const { sum, images } = position.trainLoss;
  position.trainLoss = { sum: 0, images: 0 };
  if (endOfEpoch) {
    position.epoch++;
    position.batchInEpoch = 0;
    position.earlyStop = afterEpoch(position.earlyStop, metrics.loss);
  }
  const better = isBetter(metrics, position.best);
  if (better) position.best = { step: position.step, validLoss: metrics.loss, validAccuracy: metrics.accuracy };
  return { better, trainLoss: images === 0 ? undefined : sum / images };
}

/**
 * Notes which images the validations are of from now on. What was the best on other images, before a resume, is nothing
 * to compare with: it is forgotten, and the sentence that says so is returned.
 */
export function measureOn(position: Position, now: MeasuredOn): string | undefined {
  const { measuredOn: before, best } = position;
  position.measuredOn = now;
  if (!before || before.digest === now.digest) return undefined;
  position.best = undefined;
  position.earlyStop = earlyStopStart;
  const what = best ? ` The best so far, ${best.validAccuracy.toFixed(4)} after step ${best.step}, is of those.` : '';
  return `The ${now.images} validation images are not the ${before.images} from before the resume, so the search for the best checkpoint starts over.${what}`;
}

/** Validations of the `stepsLeft` steps from here on: one at each epoch's end, and those in between. */
export function validationsLeft(
  { step, epoch }: Position,
  stepsLeft: number,
  { epochs, validateEvery, stepsPerEpoch }: Readonly<Record<'epochs' | 'validateEvery' | 'stepsPerEpoch', number>>,
): number {
  const multiples = (steps: number) => Math.floor((step + stepsLeft) / steps) - Math.floor(step / steps);
  const inBetween = Math.max(
    0,
    multiples(validateEvery) - multiples(leastCommonMultiple(validateEvery, stepsPerEpoch)),
  );
  return epochs - epoch + inBetween;
}

function leastCommonMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
}

function isBetter(metrics: Metrics, best: Position['best']): boolean {
  if (!best || metrics.accuracy > best.validAccuracy) return true;
  return metrics.accuracy === best.validAccuracy && metrics.loss < best.validLoss;
}
