import assert from 'node:assert/strict';
import { buildNetwork, namedNetwork, networkGraph } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { trainableParameters, type TrainableChoice } from '../../src/ml/networks/trainableParameters.ts';
import type { Engine, TrainingState } from '../../src/ml/engine/engine.ts';
import { createGraphBuilder, finishGraph, input } from '../../src/ml/graph/builder.ts';
import type { Graph } from '../../src/ml/graph/graph.ts';
import { float32Tensor, type Tensor } from '../../src/ml/graph/tensor.ts';
import { referenceInput, referenceState } from './referenceFill.ts';
import type { Summary, TrainCase } from './torchReference.ts';

/** The largest distances of a training case's figures from the float64 reference's. */
export interface Deviation {
  /** Of the first step's gradients, in standard deviations of each. */
  readonly gradients: number;
  /** Of the loss before each step, relative. */
  readonly losses: readonly number[];
  /** Of parameters and running statistics after the steps, in standard deviations of each. */
  readonly after: number;
  /** Of the log-probabilities in eval mode after the steps, relative to 1 + their size. */
  readonly evaluation: number;
}

function floats(tensor: Tensor | undefined): Float32Array {
  assert.ok(tensor?.dtype === 'float32');
  return tensor.data;
}

/** Largest distance of the summary's figures from a tensor's, in units of the summary's standard deviation, or of `least`. */
export function distance(summary: Summary, tensor: Tensor | undefined, least = 0): number {
  const data = floats(tensor);
  assert.equal(data.length, summary.n);
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const std = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
  const unit = Math.max(summary.std, least) || 1;
  const first = summary.first.map((value, index) => Math.abs(value - (data[index] ?? Number.NaN)));
  return Math.max(Math.abs(mean - summary.mean), Math.abs(std - summary.std), ...first) / unit;
}

function largestDistance(summaries: Readonly<Record<string, Summary>>, tensors: ReadonlyMap<string, Tensor>): number {
  return Math.max(...Object.entries(summaries).map(([name, summary]) => distance(summary, tensors.get(name))));
}

function headOf({ head_hidden: hidden, classes }: TrainCase) {
  return { hidden, dropout: 0, classes };
}

function forwardGraph(reference: TrainCase, batchNorm: 'running' | 'batch', batchSize: number): Graph {
  const builder = createGraphBuilder(batchNorm);
  const [, ...image] = reference.input;
  const images = input(builder, 'images', [batchSize, ...image]);
  return finishGraph(builder, [buildNetwork(reference.arch, builder, images, headOf(reference))]);
}

/** Targets of a batch: each row its class, divided by the number of rows, as the mean of the loss wants them. */
export function oneHotMean(labels: readonly number[], classes: number): Tensor {
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => (data[row * classes + label] = 1 / labels.length));
  return float32Tensor([labels.length, classes], data);
}

function choiceOf({ mode, top_tensors, arch }: TrainCase): TrainableChoice {
  if (mode === 'top') return { method: 'top', topTensors: top_tensors };
  return mode === 'head' ? { method: 'head', classifier: namedNetwork(arch).classifier } : { method: 'full' };
}

/** torch's with its defaults. */
export const adam = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;

/** The gradients that the first step took, by what it left in the first moments of `adam`: a pass less than to ask for them. */
export function firstGradients({ optimizer }: TrainingState): Map<string, Tensor> {
  const moments = [...optimizer].filter(([name]) => name.endsWith('.exp_avg'));
  return new Map(
    moments.map(([name, moment]) => {
      const gradient = floats(moment).map((value) => value / (1 - adam.beta1));
      return [name.replace(/\.exp_avg$/, ''), float32Tensor(moment.shape, gradient)];
    }),
  );
}

/** Trains as a case of the reference says, on the engine's CPU, and returns how far off the figures are. */
export async function trainingDeviation(reference: TrainCase, engine: Engine): Promise<Deviation> {
  const statistics = reference.batch_norm === 'batch statistics' ? 'batch' : 'running';
  const graphFor = (size: number) => forwardGraph(reference, statistics, size);
  const model = await engine.compileTraining(
    graphFor,
    {
      state: referenceState(stateShapes(networkGraph(reference.arch, headOf(reference)))),
      optimizer: new Map(),
      step: 0,
    },
    {
      trainable: trainableParameters(graphFor(1), choiceOf(reference)),
      optimizer: adam,
      device: 'cpu',
    },
  );
  const images = referenceInput(reference.input);
  const feeds = new Map([
    ['images', images],
    ['targets', oneHotMean(reference.targets, reference.classes)],
  ]);
  let gradients = Number.NaN;
  const losses: number[] = [];
  for (const [step, expected] of reference.losses.entries()) {
    const { loss } = await model.step([feeds], reference.lr);
    losses.push(Math.abs(loss - expected) / Math.abs(expected));
    if (step > 0) continue;
    gradients = largestDistance(reference.first_step_gradients, firstGradients(await model.snapshot()));
  }
  const { state } = await model.snapshot();
  await model.dispose();

  const network = await engine.compileInference((size) => forwardGraph(reference, 'running', size), state, 'cpu');
  const [logProbabilities] = (await network.run(new Map([['images', images]]))).values();
  await network.dispose();
  const data = floats(logProbabilities);
  const evaluation = reference.eval_log_probabilities.map((expected, index) => {
    const actual = data[Math.floor(index / 5) * reference.classes + (index % 5)] ?? Number.NaN;
    return Math.abs(actual - expected) / (1 + Math.abs(expected));
  });
  return { gradients, losses, after: largestDistance(reference.after, state), evaluation: Math.max(...evaluation) };
}
