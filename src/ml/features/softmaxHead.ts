import { cancelled } from '../../protocol/errors.ts';
import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { createRandom, permutation } from '../graph/random.ts';
import { float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { lossTargets } from '../operators/loss/lossTargets.ts';
import { buildHead } from '../networks/layers/head.ts';
import { featuresInput } from '../networks/network.ts';

/** Rows of features, each number brought to mean 0 and deviation 1 over all rows. */
export interface FeatureRows {
  readonly width: number;
  /** `[rows, width]` */
  readonly features: Float32Array;
}

export interface HeadTraining {
  readonly classes: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

const module = 'classifier';
/** Rows that are scored at a time. */
const scoredRows = 1024;

/** Brings each number to mean 0 and deviation 1 over the rows that count; a constant one becomes 0. */
export function standardized({ width, features }: FeatureRows, counts: (row: number) => boolean): FeatureRows {
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  const rows = features.length / width;
  let counted = 0;
  for (let row = 0; row < rows; row++) {
    if (!counts(row)) continue;
    counted++;
    for (let column = 0; column < width; column++) {
      const value = features[row * width + column] ?? 0;
      sums[column] = (sums[column] ?? 0) + value;
      squares[column] = (squares[column] ?? 0) + value * value;
    }
  }
  const means = sums.map((sum) => sum / Math.max(1, counted));
  const scales = squares.map((square, column) => {
    const variance = square / Math.max(1, counted) - (means[column] ?? 0) ** 2;
    return variance > 1e-12 ? 1 / Math.sqrt(variance) : 0;
  });
  const scaled = features.map((value, at) => (value - (means[at % width] ?? 0)) * (scales[at % width] ?? 0));
  return { width, features: scaled };
}

function graphFor(width: number, classes: number): (batchSize: number) => Graph {
  return (batchSize) => {
    const builder = createGraphBuilder();
    const features = input(builder, featuresInput, [batchSize, width]);
    return finishGraph(builder, [buildHead(builder, module, features, { hidden: [], dropout: 0, classes })]);
  };
}

function gathered({ width, features }: FeatureRows, rows: Uint32Array): Tensor {
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, at) => data.set(features.subarray(row * width, (row + 1) * width), at * width));
  return float32Tensor([rows.length, width], data);
}

/**
 * Trains a linear classifier on some rows, from zero, by AdamW with a learning rate that falls to 0 (cosine): its weights
 * by name. The same rows, labels and seed give the same weights on one device.
 */
export async function trainSoftmaxHead(
  rows: FeatureRows,
  labels: Int32Array,
  trained: Uint32Array,
  options: HeadTraining,
  { engine, device }: Placement,
): Promise<StateDict> {
  const { classes, epochs, learningRate, weightDecay, seed, signal } = options;
  const { width } = rows;
  const batchSize = Math.min(options.batchSize, trained.length);
  const names = [`${module}.output.weight`, `${module}.output.bias`];
  const state = new Map([
    [names[0] ?? '', float32Tensor([classes, width])],
    [names[1] ?? '', float32Tensor([classes])],
  ]);
  const optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay } as const;
  const model = await engine.compileTraining(
    graphFor(width, classes),
    { state, optimizer: new Map(), step: 0 },
    { trainable: new Set(names), optimizer, device },
  );
  try {
    const stepsPerEpoch = Math.floor(trained.length / batchSize);
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = permutation(trained.length, createRandom(seed, 'head', epoch));
      for (let step = 0; step < stepsPerEpoch; step++) {
        if (signal?.aborted) throw cancelled();
        const batch = order.subarray(step * batchSize, (step + 1) * batchSize).map((place) => trained[place] ?? 0);
        const feeds = new Map([
          [featuresInput, gathered(rows, batch)],
          [
            'targets',
            lossTargets(
              Int32Array.from(batch, (row) => labels[row] ?? 0),
              { classes, labelSmoothing: 0 },
            ),
          ],
        ]);
        const share = (epoch * stepsPerEpoch + step) / (epochs * stepsPerEpoch);
        await model.step([feeds], (learningRate * (1 + Math.cos(Math.PI * share))) / 2);
      }
    }
    return (await model.snapshot()).state;
  } finally {
    await model.dispose();
  }
}

/** Probabilities `[scored, classes]` of rows by a head's weights. */
export async function scoreSoftmaxHead(
  rows: FeatureRows,
  scored: Uint32Array,
  state: StateDict,
  classes: number,
  { engine, device }: Placement,
): Promise<Float32Array> {
  const model = await engine.compileInference(graphFor(rows.width, classes), state, device);
  try {
    const probabilities = new Float32Array(scored.length * classes);
    for (let from = 0; from < scored.length; from += scoredRows) {
      const part = scored.subarray(from, from + scoredRows);
      const [output] = (await model.run(new Map([[featuresInput, gathered(rows, part)]]))).values();
      if (output?.dtype !== 'float32') throw new Error('the head gave no float32 output');
      output.data.forEach((value, at) => (probabilities[from * classes + at] = Math.exp(value)));
    }
    return probabilities;
  } finally {
    await model.dispose();
  }
}
