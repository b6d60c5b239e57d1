import type { Placement } from '../inference/graphClassifier.ts';
import { createRidgeHead, type HeadRows } from './ridgeHead.ts';

/** What a head says that has learned from labels and from its own guesses. */
export interface SelfTrainedFit {
  /** `[rows, classes]`: probabilities of rows that have no label. */
  readonly probabilities: Float32Array;
  /** `[rows, classes]`: probabilities of rows with a label by a head that has learned from all other labels, and from no guess: a guess may follow from the label. */
  readonly leftOut: Float32Array;
}

/** A linear classifier over fixed rows of features that learns from those without labels too. */
export interface SelfTrainedHead {
  /**
   * Fits to labels, one for each row, -1 for none, and to guesses of the rows that `mayBeGuessed`. The result is the same
   * to the last bit as that of a new head. Throws a cancellation once `signal` is aborted.
   */
  fit(labels: Int32Array, classes: number, mayBeGuessed: (row: number) => boolean, signal?: AbortSignal): Promise<SelfTrainedFit>; // prettier-ignore
  dispose(): Promise<void>;
}

/** Probability above which a guess is learned from. */
const sureEnough = 0.5;

/**
 * Self-training (Scudder 1965; pseudo-labels: Lee 2013) in one round: a ridge head that is fitted to the labels guesses the
 * classes of other rows, and a second one is fitted to the labels and to the guesses that are likelier than not. What the
 * second says keeps the scale of the first, which was found by labels alone: guesses agree with the head too well.
 */
export async function createSelfTrainedHead(rows: HeadRows, placement: Placement): Promise<SelfTrainedHead> {
  const first = await createRidgeHead(rows, placement);
  const second = await createRidgeHead(rows, placement);
  return {
    fit: async (labels, classes, mayBeGuessed, signal) => {
      const { probabilities: leftOut, scale } = await first.fit(labels, classes, signal);
      const withGuesses = labels.map((label, row) => {
        if (label >= 0 || !mayBeGuessed(row)) return label;
        return leftOut.subarray(row * classes, (row + 1) * classes).findIndex((probability) => probability > sureEnough); // prettier-ignore
      });
      const { probabilities, scale: ownScale } = await second.fit(withGuesses, classes, signal);
      return { probabilities: rescaled(probabilities, classes, scale / ownScale), leftOut };
    },
    dispose: async () => {
      await first.dispose();
      await second.dispose();
    },
  };
}

/** Probabilities as they would be if the scores behind them were multiplied by `factor`. */
function rescaled(probabilities: Float32Array, classes: number, factor: number): Float32Array {
  const found = probabilities.slice();
  for (let from = 0; from < found.length; from += classes) {
    const own = found.subarray(from, from + classes);
    // Beside the likeliest: of many classes all powers may be too small for a number.
    const most = own.reduce((a, b) => Math.max(a, b), 0);
    for (let index = 0; index < classes; index++) own[index] = ((own[index] ?? 0) / most) ** factor;
    const total = own.reduce((sum, part) => sum + part, 0);
    for (let index = 0; index < classes; index++) own[index] = (own[index] ?? 0) / total;
  }
  return found;
}
