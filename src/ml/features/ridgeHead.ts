import { cancelled } from '../../protocol/errors.ts';
import type { InferenceModel } from '../engine/engine.ts';
import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import { float32Tensor } from '../graph/tensor.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { featuresInput } from '../networks/network.ts';
import { linear } from '../operators/matmul/linear.ts';
import { createExactSums } from './exactSums.ts';
import { createRidgeSolver, type RidgeSolver } from './ridgeSolver.ts';
import type { FeatureRows } from './softmaxHead.ts';

/** A head, and what it says of the rows that it was fitted to, each row judged by the head of all others. */
export interface RidgeFit {
  /** `[classes, width]` over features as they are, and `[classes]`. */
  readonly weights: Float64Array;
  readonly biases: Float64Array;
  /** `[rows, classes]`: probabilities of each row by the head that was fitted without it. */
  readonly probabilities: Float32Array;
  /** What scores were multiplied by before the softmax. */
  readonly scale: number;
}

/** Rows that a head is fitted to. */
export interface HeadRows extends FeatureRows {
  /** Of rows that were projected, the width before (`projectedRows.ts`). */
  readonly projectedFrom?: number;
  /** Columns keep their scale; those of other rows are brought to deviation 1. */
  readonly keepsScale?: true;
}

/** A linear classifier over fixed rows of features that is fitted again as their labels change. */
export interface RidgeHead {
  /**
   * Fits to labels, one for each row; a row with -1 does not count. What only depends on which rows count is kept for the
   * next fit. The result is the same to the last bit as that of a new head. Throws a cancellation once `signal` is aborted.
   */
  fit(labels: Int32Array, classes: number, signal?: AbortSignal): Promise<RidgeFit>;
  dispose(): Promise<void>;
}

/** Rows that are multiplied at a time. */
const chunkRows = 1024;
/** Weights are multiplied so many classes at a time: each other number of them would need sessions of its own. */
const classesAtOnce = 64;
/**
 * The penalty is the number of rows, and at most this times the number of features. It does not follow from the labels, with
 * which it would change: on 100 to 7,800 images of flowers it was nearly the best.
 */
const penaltyOfWidth = 0.3;

/**
 * Ridge regression onto one target of 0 or 1 for each class, over features brought to mean 0 and deviation 1 (to mean 0
 * alone where they keep their scale), with a bias that is not penalized: scikit-learn's `RidgeClassifier`, whose targets are -1 and 1. What the head of all other rows says
 * of a row follows from what the head of all rows says of it (Allen 1974, PRESS): `(score - h target) / (1 - h)`, with h
 * the row's leverage. The equations are summed exactly and solved in float64; scores and leverages are the engine's
 * products in float32.
 *
 * The rows have to come in an order that does not depend on their labels, such as that of their digests.
 */
export async function createRidgeHead(own: HeadRows, placement: Placement): Promise<RidgeHead> {
  const { width, features, projectedFrom, keepsScale } = own;
  const rows = features.length / width;
  const sums = createExactSums({ width, features });
  const chunks = await compileChunks({ width, features }, placement);
  let solved: { readonly solver: RidgeSolver; readonly leverages: Float64Array } | undefined;

  /** Multiplies weights `[count, width]` with all rows and hands on the products, `[count, chunkRows]` for each chunk. */
  async function multiply(weights: Float32Array, take: (products: Float32Array, from: number) => void): Promise<void> {
    const feeds = new Map([[featuresInput, float32Tensor([weights.length / width, width], weights)]]);
    for (const [at, chunk] of chunks.entries()) {
      const [products] = (await chunk.run(feeds)).values();
      if (products?.dtype !== 'float32') throw new Error('the product gave no float32 output');
      take(products.data, at * chunkRows);
    }
  }

  async function leveragesBy({ whitening }: RidgeSolver): Promise<Float64Array> {
    const { weights, offsets } = whitening;
    const leverages = new Float64Array(rows);
    await multiply(weights, (products, from) => {
      const own = leverages.subarray(from, from + chunkRows);
      for (let line = 0; line < width; line++) {
        const offset = offsets[line] ?? 0;
        const start = line * chunkRows;
        for (let row = 0; row < own.length; row++) {
          own[row] = (own[row] ?? 0) + ((products[start + row] ?? 0) - offset) ** 2;
        }
      }
    });
    return leverages.map((squares) => (squares + 1) / sums.counted);
  }

  async function scoresBy({ weights, biases }: ReturnType<RidgeSolver['weightsFor']>): Promise<Float32Array> {
    const classes = biases.length;
    const scores = new Float32Array(rows * classes);
    const padded = new Float32Array(Math.ceil(classes / classesAtOnce) * classesAtOnce * width);
    padded.set(weights);
    await multiply(padded, (products, from) => {
      const end = Math.min(rows, from + chunkRows);
      for (let index = 0; index < classes; index++) {
        const [start, bias] = [index * chunkRows - from, biases[index] ?? 0];
        for (let row = from; row < end; row++) scores[row * classes + index] = (products[start + row] ?? 0) + bias;
      }
    });
    return scores;
  }

  return {
    fit: async (labels, classes, signal) => {
      const stop = () => {
        if (signal?.aborted) throw cancelled();
      };
      if (sums.count(labels) || !solved) {
        solved = undefined;
        const penalty = Math.min(sums.counted, penaltyOfWidth * (projectedFrom ?? width));
        const solver = createRidgeSolver(sums, width, { penalty, keepsScale: keepsScale === true });
        stop();
        solved = { solver, leverages: await leveragesBy(solver) };
      }
      stop();
      const { solver, leverages } = solved;
      const head = solver.weightsFor(labels, classes);
      const scores = await scoresBy(head);
      leaveOut(scores, labels, leverages, classes);
      const scale = scaleFor(scores, labels, classes);
      softmax(scores, classes, scale);
      return { ...head, probabilities: scores, scale };
    },
    dispose: async () => {
      for (const chunk of chunks) await chunk.dispose();
    },
  };
}

/** A product with some of the rows each; all have the same shape, so that none is computed in another order than others. */
async function compileChunks({ width, features }: FeatureRows, placement: Placement): Promise<InferenceModel[]> {
  const graphFor = (batchSize: number) => {
    const builder = createGraphBuilder();
    const weights = input(builder, featuresInput, [batchSize, width]);
    return finishGraph(builder, [linear(builder, 'rows', weights, chunkRows, false)]);
  };
  const chunks: InferenceModel[] = [];
  for (let from = 0; from < features.length; from += chunkRows * width) {
    const rows = new Float32Array(chunkRows * width);
    rows.set(features.subarray(from, from + chunkRows * width));
    const state = new Map([['rows.weight', float32Tensor([chunkRows, width], rows)]]);
    chunks.push(await placement.engine.compileInference(graphFor, state, placement.device));
  }
  return chunks;
}

/** Scores by the head of all rows become, in place, those by the heads of all others. */
function leaveOut(scores: Float32Array, labels: Int32Array, leverages: Float64Array, classes: number): void {
  labels.forEach((label, row) => {
    if (label < 0) return;
    const leverage = leverages[row] ?? 0;
    const own = scores.subarray(row * classes, (row + 1) * classes);
    for (let index = 0; index < classes; index++) {
      own[index] = ((own[index] ?? 0) - (index === label ? leverage : 0)) / (1 - leverage);
    }
  });
}

/** Rows by which the scale is found; bounds of its logarithm, and steps that halve them more than to a thousandth. */
const [scaleRows, leastLogScale, mostLogScale, scaleSteps] = [512, -1, 6, 18];

/** What scores are to be multiplied by so that their softmax makes the labels likeliest: a golden-section search. */
function scaleFor(scores: Float32Array, labels: Int32Array, classes: number): number {
  const some: number[] = [];
  for (let row = 0; row < labels.length && some.length < scaleRows; row++) if ((labels[row] ?? 0) >= 0) some.push(row);
  const loss = (logScale: number) => {
    const scale = Math.exp(logScale);
    let sum = 0;
    for (const row of some) {
      const own = scores.subarray(row * classes, (row + 1) * classes);
      const label = own[labels[row] ?? 0] ?? 0;
      let total = 0;
      for (let index = 0; index < classes; index++) total += Math.exp(scale * ((own[index] ?? 0) - label));
      sum += Math.min(Math.log(total), 700);
    }
    return sum;
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [leastLogScale, mostLogScale];
  let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [atLeft, atRight] = [loss(left), loss(right)];
  for (let step = 0; step < scaleSteps; step++) {
    if (atLeft <= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - ratio * (high - low);
      atLeft = loss(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + ratio * (high - low);
      atRight = loss(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** Scores become probabilities in place. */
function softmax(scores: Float32Array, classes: number, scale: number): void {
  for (let from = 0; from < scores.length; from += classes) {
    const own = scores.subarray(from, from + classes);
    let most = -Infinity;
    for (const score of own) most = Math.max(most, score);
    let total = 0;
    for (let index = 0; index < classes; index++) {
      const part = Math.exp(scale * ((own[index] ?? 0) - most));
      own[index] = part;
      total += part;
    }
    for (let index = 0; index < classes; index++) own[index] = (own[index] ?? 0) / total;
  }
}
