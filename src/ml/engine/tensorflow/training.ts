import type { Scalar, Variable } from '@tensorflow/tfjs';
import { splitFrozen } from '../../passes/frozenPrefix.ts';
import { typeOf, type Graph } from '../../graph/graph.ts';
import { leastRest } from '../../operators/loss/focalLoss.ts';
import { averageShare, firstMoment, groupOf, groupStep, momentNames } from '../../operators/optimizer/optimizer.ts';
import { float32Tensor, type StateDict, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { countBatches } from '../countBatches.ts';
import type { Feeds, GraphForBatch, StepResult, TrainingModel, TrainingOptions, TrainingState } from '../engine.ts';
import type { DeviceTensor, TensorFlow } from '../../operators/tensorflow.ts';
import { download, upload } from './deviceTensor.ts';
import { interpret } from './interpret.ts';
import { watchMemory } from './memory.ts';
import { clipGradients, jointNorm, updateParameter, type Learned } from './optimizers.ts';
import { activate, type Runtime } from './runtime.ts';
import { axesOf, batchSizeOf, rememberGraphs, uploadFeeds } from './state.ts';

/** Everything of a training model that lives on the device. */
interface Training {
  readonly tf: TensorFlow;
  readonly graphOf: (batchSize: number) => Graph;
  readonly options: TrainingOptions;
  /** Parameters and buffers by name, in the device's layout. */
  readonly state: ReadonlyMap<string, Variable>;
  /** Moments by name, likewise. */
  readonly moments: ReadonlyMap<string, Variable>;
  readonly trainable: readonly string[];
}

/** What one micro-batch gives: all tensors are the surrounding `tf.tidy`'s. */
interface Backward {
  readonly loss: DeviceTensor;
  readonly logProbabilities: DeviceTensor;
  readonly gradients: Record<string, DeviceTensor>;
  /** Successors of running statistics by the name of what they replace. */
  readonly statistics: Record<string, DeviceTensor>;
}

/** A network in training on a runtime; gradients are TensorFlow.js's own. See `TrainingModel` of `engine.ts`. */
export async function createTrainingModel(
  runtime: Runtime,
  graphFor: GraphForBatch,
  initial: TrainingState,
  options: TrainingOptions,
): Promise<TrainingModel> {
  await activate(runtime);
  const training = place(runtime.tf, graphFor, initial, options);
  const { device } = runtime;
  let { step } = initial;
  let forwards = 0;
  const snapshot = async () => {
    await activate(runtime);
    const { state, optimizer } = copyState(training, initial.state);
    const { updates } = training.graphOf(1);
    return { state: countBatches(state, (statistic) => updates.has(statistic), forwards), optimizer, step };
  };
  return {
    async step(batches, learningRate) {
      await activate(runtime);
      const result = watchMemory(device, () => takeStep(training, batches, step + 1, learningRate));
      step += 1;
      forwards += batches.length;
      return result;
    },
    async gradients(batch) {
      await activate(runtime);
      return watchMemory(device, () => gradientsOf(training, batch));
    },
    snapshot,
    lend: async (_, use) => use(await snapshot()),
    dispose() {
      for (const variable of [...training.state.values(), ...training.moments.values()]) variable.dispose();
      return Promise.resolve();
    },
  };
}

function place(tf: TensorFlow, graphFor: GraphForBatch, initial: TrainingState, options: TrainingOptions): Training {
  const sample = graphFor(1);
  const state = new Map<string, Variable>();
  const moments = new Map<string, Variable>();
  const move = (target: Map<string, Variable>, name: string, tensor: Tensor, parameter = name) => {
    const value = upload(tf, tensor, axesOf(sample, parameter));
    target.set(name, tf.variable(value));
    value.dispose();
  };
  for (const [name, tensor] of initial.state) {
    // What is not float32 is torch's count of batches, which no graph reads.
    if (tensor.dtype === 'float32') move(state, name, tensor);
  }
  const trainable = [...initial.state.keys()].filter((name) => options.trainable.has(name));
  for (const name of trainable) {
    for (const moment of momentNames(options.optimizer, name)) {
      const value = tensorOf(initial.state, name);
      const begun = initial.optimizer.get(moment) ?? firstMoment(moment, name, value) ?? float32Tensor(value.shape);
      move(moments, moment, begun, name);
    }
  }
  return { tf, graphOf: rememberGraphs(graphFor, initial.state), options, state, moments, trainable };
}

function variableOf(variables: ReadonlyMap<string, Variable>, name: string): Variable {
  const variable = variables.get(name);
  if (!variable) throw new Error(`the training state has no ${name}`);
  return variable;
}

/**
 * Forward and backward pass of one micro-batch; to be called inside `tf.tidy`. What depends on no trainable parameter
 * is computed first and without a record for gradients. `statistics` are running statistics that earlier micro-batches
 * of the same step have moved.
 */
function backward(training: Training, feeds: Feeds, statistics: Readonly<Record<string, DeviceTensor>>): Backward {
  const { tf, state, options } = training;
  const graph = training.graphOf(batchSizeOf(feeds));
  const [output, ...others] = graph.outputs;
  if (output === undefined || others.length > 0) throw new Error('a graph in training has one output');
  const targets = feeds.get('targets');
  if (!targets) throw new Error('a training batch without targets');
  const goal = upload(tf, targets, { axes: 'plain' });
  const { prefix, suffix } = splitFrozen(graph, options.trainable);
  const given = new Map<string, DeviceTensor>([
    ...state,
    ...Object.entries(statistics),
    ...uploadFeeds(tf, graph, feeds),
  ]);
  if (prefix) for (const [name, value] of interpret(tf, prefix, given, prefix.outputs, true)) given.set(name, value);
  const kept = new Map<string, DeviceTensor>();
  const forward = () => {
    const values = interpret(tf, suffix, given, [output, ...suffix.updates.values()], false);
    // Kept, because the recording of gradients disposes all but the loss.
    for (const [name, value] of values) kept.set(name, tf.keep(tf.clone(value)));
    return lossOf(tf, goal, values.get(output) ?? tf.scalar(NaN), options.focalGamma);
  };
  try {
    const variables = training.trainable.map((name) => variableOf(state, name));
    const { value, grads } = tf.variableGrads(forward, variables);
    const own = (name: string) => tf.clone(kept.get(name) ?? tf.scalar(NaN));
    return {
      loss: value,
      logProbabilities: own(output),
      gradients: Object.fromEntries(training.trainable.map((name) => [name, gradientOf(grads, state, name)])),
      statistics: { ...statistics, ...Object.fromEntries([...graph.updates].map(([name, next]) => [name, own(next)])) },
    };
  } finally {
    for (const value of kept.values()) value.dispose();
  }
}

/** -sum(targets * log-probabilities), or the focal loss; see `focalLoss`. */
function lossOf(tf: TensorFlow, targets: DeviceTensor, logProbabilities: DeviceTensor, gamma = 0): Scalar {
  const terms = tf.mul(targets, logProbabilities);
  if (gamma === 0) return tf.neg(tf.sum(terms)).asScalar();
  const rest = tf.maximum(tf.sub(1, tf.exp(logProbabilities)), leastRest);
  return tf.neg(tf.sum(tf.mul(tf.pow(rest, gamma), terms))).asScalar();
}

function gradientOf(
  grads: Readonly<Record<string, DeviceTensor | null>>,
  state: ReadonlyMap<string, Variable>,
  name: string,
): DeviceTensor {
  const gradient = grads[variableOf(state, name).name];
  if (!gradient) throw new Error(`the loss does not depend on ${name}`);
  return gradient;
}

/** Gradients of all micro-batches add up; nothing changes before the last has gone through, so a failed step can be repeated. */
function takeStep(training: Training, batches: readonly Feeds[], step: number, learningRate: number): StepResult {
  const { tf, options, state } = training;
  const losses: number[] = [];
  const rows: (Tensor & { dtype: 'float32' })[] = [];
  let gradientNorm = NaN;
  tf.tidy(() => {
    let total: Pick<Backward, 'gradients' | 'statistics'> = { gradients: {}, statistics: {} };
    for (const feeds of batches) {
      total = tf.tidy(() => {
        const part = backward(training, feeds, total.statistics);
        losses.push(part.loss.dataSync()[0] ?? NaN);
        rows.push(download(tf, part.logProbabilities, { axes: 'plain' }));
        return { gradients: sumByName(tf, total.gradients, part.gradients), statistics: part.statistics };
      });
    }
    for (const [name, value] of Object.entries(total.statistics)) variableOf(state, name).assign(value);
    const gradients = new Map(Object.entries(total.gradients));
    const norm = jointNorm(tf, gradients.values());
    gradientNorm = norm.dataSync()[0] ?? NaN;
    const clipped = options.clipNorm === undefined ? gradients : clipGradients(tf, gradients, norm, options.clipNorm);
    for (const [name, gradient] of clipped) {
      const { group } = groupOf(options.optimizer, name);
      const [own, rate] = [groupStep(group, step), learningRate * group.rate];
      tf.tidy(() =>
        updateParameter(
          tf,
          options.optimizer,
          learnedOf(training, name),
          gradient,
          own,
          rate,
          averageShare(options.optimizer, step),
        ),
      );
    }
  });
  return { loss: losses.reduce((sum, loss) => sum + loss, 0), logProbabilities: joinRows(rows), gradientNorm };
}

function sumByName(
  tf: TensorFlow,
  a: Readonly<Record<string, DeviceTensor>>,
  b: Readonly<Record<string, DeviceTensor>>,
): Record<string, DeviceTensor> {
  const sum = (name: string, value: DeviceTensor) => {
    const other = a[name];
    return other ? tf.add(other, value) : value;
  };
  return Object.fromEntries(Object.entries(b).map(([name, value]) => [name, sum(name, value)]));
}

function learnedOf({ state, moments, options }: Training, name: string): Learned {
  const names = momentNames(options.optimizer, name);
  return { parameter: variableOf(state, name), moments: names.map((moment) => variableOf(moments, moment)) };
}

function joinRows(parts: readonly (Tensor & { dtype: 'float32' })[]): Tensor & { dtype: 'float32' } {
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  const columns = parts[0]?.shape[1] ?? 0;
  const joined = float32Tensor([rows, columns]);
  let at = 0;
  for (const { data } of parts) {
    joined.data.set(data, at);
    at += data.length;
  }
  return joined;
}

function gradientsOf(training: Training, batch: Feeds): Map<string, Tensor> {
  const { tf } = training;
  const gradients = tf.tidy(() => backward(training, batch, {}).gradients);
  const graph = training.graphOf(batchSizeOf(batch));
  const copies = Object.entries(gradients).map(
    ([name, value]) => [name, download(tf, value, typeOf(graph, name))] as const,
  );
  tf.dispose(gradients);
  return new Map(copies);
}

function copyState(
  { tf, state, moments, graphOf, options }: Training,
  initial: StateDict,
): Omit<TrainingState, 'step'> {
  const graph = graphOf(1);
  const present = [...initial].map(([name, tensor]) => {
    const variable = state.get(name);
    return [name, variable ? download(tf, variable, axesOf(graph, name)) : copyOf(tensor)] as const;
  });
  const optimizer = [...options.trainable].flatMap((parameter) =>
    momentNames(options.optimizer, parameter).flatMap((name) => {
      const variable = moments.get(name);
      return variable ? [[name, download(tf, variable, axesOf(graph, parameter))] as const] : [];
    }),
  );
  return { state: new Map(present), optimizer: new Map(optimizer) };
}

function copyOf(tensor: Tensor): Tensor {
  return { ...tensor, data: tensor.data.slice() } as Tensor;
}
