import { InferenceSession } from 'onnxruntime-node';
import { onCpu, watched, watchedSteps } from '../../bench/ours/watchedSteps.ts';
import type { Engine, TrainingState } from '../../src/ml/engine/engine.ts';
import type { Library } from '../../src/ml/engine/onnxruntime/capi/library.ts';
import { onnxEngine, onnxEngineReplaying } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { openWebgpuLibrary } from '../../src/ml/engine/onnxruntime/webgpu/webgpuLibrary.ts';
import { selfCheck, tinySizes } from '../../src/ml/engine/selfCheck.ts';
import { averagePool2d } from '../../src/ml/operators/pooling/averagePool.ts';
import { batchNorm2d } from '../../src/ml/operators/norm/batchNorm2d.ts';
import { concat } from '../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../src/ml/graph/builder.ts';
import { globalAveragePool } from '../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../src/ml/operators/matmul/linear.ts';
import { logSoftmax } from '../../src/ml/operators/loss/logSoftmax.ts';
import { maxPool2d } from '../../src/ml/operators/pooling/maxPool.ts';
import { normalize } from '../../src/ml/operators/elementwise/normalize.ts';
import { relu } from '../../src/ml/operators/activation/relu.ts';
import { relu6 } from '../../src/ml/operators/activation/activations.ts';
import { gelu } from '../../src/ml/operators/activation/gelu.ts';
import { hardSwish } from '../../src/ml/operators/activation/hardSwish.ts';
import { silu } from '../../src/ml/operators/activation/silu.ts';
import { add } from '../../src/ml/operators/elementwise/arithmetic.ts';
import { dropout } from '../../src/ml/operators/elementwise/dropout.ts';
import { multiheadSelfAttention } from '../../src/ml/operators/matmul/attention.ts';
import { windowAttention } from '../../src/ml/operators/matmul/windowAttention.ts';
import { reshape } from '../../src/ml/operators/movement/reshape.ts';
import { transpose } from '../../src/ml/operators/movement/transpose.ts';
import { layerNorm, rmsNorm } from '../../src/ml/operators/norm/layerNorm.ts';
import { mean } from '../../src/ml/operators/reduce/meanAndMax.ts';
import { squeezeExcite } from '../../src/ml/networks/layers/squeezeExcite.ts';
import { typeOf, type Graph } from '../../src/ml/graph/graph.ts';
import { webgpuLimits } from '../../src/ml/lowering/webgpu/webgpuLimits.ts';
import { encodeOnnx, float32Value, type OnnxModel } from '../../src/ml/onnx/onnxModel.ts';
import { writeOnnx } from '../../src/ml/lowering/writeOnnx.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../src/ml/graph/tensor.ts';
import type { Optimizer } from '../../src/ml/operators/optimizer/optimizer.ts';
import { accumulationStep, fullStep, gradientStep, updateStep } from '../../src/ml/passes/trainingStep.ts';
import { maskImages, scaleChannels } from '../unit/engine/broadcastProducts.ts';

/*
 * What webgpu.test.ts runs in a process that has a Vulkan device from its start: `check` prints the self-check, and the card that it was made on;
 * `train` prints how far a few steps over many parameters are from the CPU’s; `replay` the same of thirty steps that are replayed, and what is said where replays are made wrong; `place` lets ONNX Runtime say on stderr which provider gets which operator of a run’s graphs, and prints how many graphs there were;
 * `profile` prints which operators of a step and of a model that the device cannot run whole the CPU ran, by ONNX Runtime's profile.
 */

/** With the operators of a training step that the self-check's network lacks. */
function network(batchNorm: 'running' | 'batch'): Graph {
  const b = createGraphBuilder(batchNorm);
  const pixels = input(b, 'pixels', [2, 3, 16, 16], 'uint8');
  const images = normalize(b, pixels, { scale: [0.1, 0.1, 0.1], shift: [0, 0, 0], order: [2, 1, 0] });
  const stem = batchNorm2d(b, 'norm', conv2d(b, 'stem', images, { channels: 8, kernel: 7, stride: 2, padding: 3 }));
  const pooled = maxPool2d(b, relu(b, stem), { kernel: 3, stride: 2, ceilMode: true });
  const grown = concat(b, [pooled, conv2d(b, 'grow', pooled, { channels: 8, kernel: 3, padding: 1 })]);
  const halved = averagePool2d(b, conv2d(b, 'narrow', grown, { channels: 8, kernel: 1 }), { kernel: 2, stride: 2 });
  const features = dropout(b, 'drop', globalAveragePool(b, halved), 0.5);
  return finishGraph(b, [logSoftmax(b, linear(b, 'fc', features, 3))]);
}

/** Depthwise and gated layers, as EfficientNet has them. */
function gatedNetwork(batchNorm: 'running' | 'batch', batch = 2): Graph {
  const b = createGraphBuilder(batchNorm);
  const images = input(b, 'images', [batch, 3, 16, 16]);
  const wide = relu6(
    b,
    batchNorm2d(b, 'norm', conv2d(b, 'stem', images, { channels: 8, kernel: 3, stride: 2, bias: false })),
  );
  const deep = silu(b, conv2d(b, 'deep', wide, { channels: 8, kernel: 3, stride: 2, padding: 1, groups: 8 }));
  const gated = squeezeExcite(b, 'gate', deep, { squeezed: 2, activation: hardSwish });
  const added = add(b, maskImages(b, 'drop', gated, 0.5), scaleChannels(b, 'scale', gated));
  const pooled = averagePool2d(b, added, { kernel: 3, stride: 1, padding: 1 });
  return finishGraph(b, [logSoftmax(b, linear(b, 'fc', globalAveragePool(b, pooled), 3))]);
}

/** Attention, whole and in shifted windows. */
function transformer(batch = 2): Graph {
  const b = createGraphBuilder();
  const images = input(b, 'images', [batch, 3, 16, 16]);
  const patches = conv2d(b, 'patches', images, { channels: 8, kernel: 4, stride: 4 });
  const grid = transpose(b, patches, [0, 2, 3, 1]);
  const inWindows = windowAttention(b, 'windows', grid, { heads: 2, window: 2, shift: 1 });
  const tokens = reshape(b, add(b, grid, inWindows), [batch, 16, 8]);
  const attended = add(b, tokens, multiheadSelfAttention(b, 'attention', layerNorm(b, 'norm', tokens), 2));
  const features = reshape(b, mean(b, gelu(b, rmsNorm(b, 'last', attended)), [1]), [batch, 8]);
  return finishGraph(b, [logSoftmax(b, linear(b, 'fc', features, 3))]);
}

const optimizers: Optimizer[] = [
  { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 },
  { kind: 'sgd', momentum: 0.9, weightDecay: 0.1 },
];

/** Every kind of graph that a run has: whole steps, the parts of a step in parts, and a validation. */
function graphs(): Graph[] {
  const networks = [
    network('batch'),
    network('running'),
    gatedNetwork('batch'),
    gatedNetwork('running'),
    transformer(),
  ];
  return networks.flatMap((forward) => {
    const trainable = new Set(forward.parameters);
    const updates = optimizers.flatMap((optimizer) => {
      const options = { trainable, optimizer, clipNorm: 1 };
      return [fullStep(forward, options), updateStep(forward, options)];
    });
    return [...updates, accumulationStep(forward, { trainable }), gradientStep(forward, { trainable }), forward];
  });
}

async function place(): Promise<number> {
  const all = graphs();
  for (const graph of all) {
    const model = writeOnnx(graph, {
      constants: new Map(),
      outputs: [...graph.updates.values()],
      webgpu: webgpuLimits,
    });
    const session = await InferenceSession.create(encodeOnnx(model), {
      executionProviders: ['webgpu', 'cpu'],
      logSeverityLevel: 0,
      logVerbosityLevel: 1,
    });
    await session.release();
  }
  return all.length;
}

/** More small parameters than a device binds tensors at once. */
function deepNetwork(batch: number): Graph {
  const b = createGraphBuilder('batch');
  let x = input(b, 'images', [batch, 3, 8, 8]);
  for (let layer = 0; layer < 8; layer++) {
    // Without a bias, whose gradient would be rounding alone before a batch norm, which Adam makes into steps.
    const convolved = conv2d(b, `${layer}`, x, { channels: 4, kernel: 3, padding: 1, bias: false });
    x = relu(b, batchNorm2d(b, `${layer}.norm`, convolved));
  }
  return finishGraph(b, [logSoftmax(b, linear(b, 'fc', globalAveragePool(b, x), 3))]);
}

/** What `trained` trains, and how. */
interface Trained {
  readonly graphFor: (batch: number) => Graph;
  readonly optimizer: Optimizer;
}

/** Steps of a training: the batch sizes of the parts of each. */
type Course = readonly (readonly number[])[];

/** The losses of the steps, and the state at their end. */
interface Outcome extends TrainingState {
  readonly losses: readonly number[];
}

async function trained(engine: Engine, device: string, network: Trained, course: Course): Promise<Outcome> {
  const { graphFor, optimizer } = network;
  const graph = graphFor(2);
  const random = createRandom('many parameters');
  const values = (shape: readonly number[], draw: () => number) =>
    float32Tensor(shape, Float32Array.from({ length: elementCount(shape) }, draw));
  const state = new Map(
    [...graph.parameters, ...graph.buffers].map((name): [string, Tensor] => {
      const { shape } = typeOf(graph, name);
      return [name, values(shape, () => (shape.length === 1 ? 0.5 + random.next() : random.normal() / 4))];
    }),
  );
  const options = { trainable: new Set(graph.parameters), optimizer, device };
  const model = await engine.compileTraining(graphFor, { state, optimizer: new Map(), step: 0 }, options);
  const feeds = (batch: number) => {
    const sized = graphFor(batch);
    return new Map([
      ...sized.inputs.map((name) => {
        const draw = name.endsWith('.mask') ? () => 2 * random.integer(2) : () => random.normal();
        return [name, values(typeOf(sized, name).shape, draw)] as const;
      }),
      ['targets', float32Tensor([batch, 3], Float32Array.of(0.5, 0, 0, 0, 0, 0.5).subarray(0, 3 * batch))],
    ]);
  };
  const losses: number[] = [];
  for (const [at, parts] of course.entries()) losses.push((await model.step(parts.map(feeds), 0.01 / (1 + at))).loss);
  const snapshot = await model.snapshot();
  await model.dispose();
  return { ...snapshot, losses };
}

// The bias of attention's keys has no gradient but rounding, which Adam would make into steps.
const sgd = { kind: 'sgd', momentum: 0.9, weightDecay: 0 } as const;
const gated: Trained = { graphFor: (batch) => gatedNetwork('batch', batch), optimizer: sgd };
const attending: Trained = { graphFor: transformer, optimizer: sgd };

/** How many tensors of a snapshot there are, and how far the device's are from the CPU's in units of their largest value. */
async function compareTraining(): Promise<{ tensors: number; difference: number }> {
  const optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
  const course = [[2], [2, 2], [2]];
  const compared = differencesOf(...(await onBoth(onnxEngine, { graphFor: deepNetwork, optimizer }, course)));
  return { tensors: compared.length, difference: Math.max(...compared) };
}

/** The same training on WebGPU, by an engine, and on the CPU. */
async function onBoth(engine: Engine, network: Trained, course: Course): Promise<readonly [Outcome, Outcome]> {
  return [await trained(engine, 'webgpu', network, course), await trained(onnxEngine, 'cpu', network, course)];
}

function differencesOf(actual: TrainingState, expected: TrainingState): number[] {
  return [...expected.state, ...expected.optimizer].map(([name, tensor]) => {
    const own = actual.state.get(name) ?? actual.optimizer.get(name);
    const [theirs, ours] = [tensor, own].map((it) => [...(it?.data ?? [])].map(Number));
    const scale = Math.max(...(theirs ?? []).map(Math.abs), 1e-6);
    return Math.max(...(theirs ?? []).map((value, index) => Math.abs(value - (ours?.[index] ?? Infinity)) / scale));
  });
}

/** From which replay on nothing is computed, so that what was there before is taken for the result. */
const faults = [
  { network: gated, from: Infinity },
  { network: attending, from: Infinity },
  { network: gated, from: 8 },
  { network: gated, from: 6 },
];

/** Thirty steps that are replayed but for one of a smaller batch and one in parts, beside the CPU's. */
async function compareReplays() {
  const course: Course = Array.from({ length: 30 }, (_, step) => (step === 12 ? [1] : step === 20 ? [2, 2] : [2]));
  const library = openWebgpuLibrary();
  const results = [];
  for (const { network, from } of faults) {
    let [runs, replays] = [0, 0];
    const counting: Library = {
      ...library,
      call: (called, ...args) => {
        const isReplay = called === 'RunWithBinding' && args[1] === null;
        if (isReplay) replays++;
        else if (called === 'RunWithBinding') runs++;
        if (!isReplay || replays < from) library.call(called, ...args);
      },
    };
    const reasons: string[] = [];
    const engine = onnxEngineReplaying((reason) => void reasons.push(reason), counting);
    const [actual, expected] = await onBoth(engine, network, course);
    const losses = actual.losses.map((loss, step) => Math.abs(loss / (expected.losses[step] ?? 0) - 1));
    const [difference, lossDifference] = [Math.max(...differencesOf(actual, expected)), Math.max(...losses)];
    results.push({ runs, replays, reasons, difference, lossDifference });
  }
  return results;
}

/** A model with an operator that WebGPU lacks. */
const partlyOnCpu: OnnxModel = {
  irVersion: 8,
  opsetImport: [{ domain: '', version: 17 }],
  graph: {
    name: 'partly',
    node: [
      { opType: 'Relu', input: ['x'], output: ['y'] },
      { opType: 'Det', input: ['y'], output: ['z'] },
    ],
    input: [float32Value('x', [1, 2, 2])],
    output: [float32Value('z', [1])],
  },
};

async function profile() {
  const step = await watchedSteps({ network: 'ConvNet1', method: 'scratch', batch: 2, size: 32, device: 'webgpu' });
  const partly = await watched(async (engine) => {
    const model = await engine.compileOnnx(partlyOnCpu, 'webgpu');
    await model.run(new Map([['x', float32Tensor([1, 2, 2])]]));
    await model.dispose();
  });
  const kernels = (profiles: typeof step) => onCpu(profiles).map(({ kernel }) => kernel);
  const operators = step.reduce((sum, { kernels: all }) => sum + all.length, 0);
  return { operators, onCpu: kernels(step), partly: kernels(partly) };
}

if (process.argv[2] === 'place') console.log(await place());
else if (process.argv[2] === 'profile') console.log(JSON.stringify(await profile()));
else if (process.argv[2] === 'train') console.log(JSON.stringify(await compareTraining()));
else if (process.argv[2] === 'replay') console.log(JSON.stringify(await compareReplays()));
else {
  const card = await onnxEngine.card('webgpu');
  console.log(JSON.stringify({ ...(await selfCheck(onnxEngine, 'webgpu', tinySizes)), card }));
}
// Not every driver lets its process end by itself.
process.exit(0);
