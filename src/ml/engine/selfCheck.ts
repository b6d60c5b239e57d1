import { add } from '../operators/elementwise/arithmetic.ts';
import { batchNorm2d } from '../operators/norm/batchNorm2d.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { linear } from '../operators/matmul/linear.ts';
import { logSoftmax } from '../operators/loss/logSoftmax.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import { relu } from '../operators/activation/relu.ts';
import type { Graph } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import { createRandom } from '../graph/random.ts';
import { elementCount, float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import type { Engine, Feeds, TrainingModel } from './engine.ts';
import { onnxEngine } from './onnxruntime/onnxEngine.ts';

/** How a device did: how far its numbers are from the CPU's, and how long a step takes. */
export interface SelfCheck {
  /** Largest difference of a gradient from the CPU's, in units of that gradient's largest value. */
  readonly difference: number;
  /** Largest difference of a step's loss from the CPU's, in units of that loss, over five steps of training. */
  readonly lossDifference: number;
  /** Of the same step on every device, which keeps a graphics card busy; where that takes long, reckoned from one of a single image. */
  readonly secondsPerStep: number;
}

/** Changes with what is checked or timed, so that what older checks found is found anew. */
export const checkVersion = 'check 3';

/** Beyond this a device is not trusted: its rounding explains less. */
export const trustedDifference = 1e-2;

const classes = 8;

/** Size of a network and its batch. */
interface Size {
  readonly batch: number;
  readonly side: number;
  readonly channels: number;
}

/** What is computed: numbers are compared on one network, and steps are timed on another. */
export interface CheckSizes {
  readonly compared: Size;
  readonly timed: Size;
}

/** Steps are timed on one that keeps a graphics card as busy as training does: over a small one a card only waits. */
const fullSizes: CheckSizes = {
  compared: { batch: 16, side: 64, channels: 32 },
  timed: { batch: 16, side: 224, channels: 64 },
};
const tiny: Size = { batch: 2, side: 16, channels: 8 };
/** For a graphics card in software. */
export const tinySizes: CheckSizes = { compared: tiny, timed: tiny };

/** A device that takes longer for a step of the network that is compared is slower than any CPU: it is timed on one image. */
const hopelessSeconds = 0.5;

/** A residual block between a strided stem and a classifier: every operator of a training step once. */
function checkNetwork({ side, channels }: Size, batch: number): Graph {
  const builder = createGraphBuilder('batch');
  const images = input(builder, 'images', [batch, 3, side, side]);
  const stem = relu(
    builder,
    batchNorm2d(
      builder,
      'stem_norm',
      conv2d(builder, 'stem', images, { channels, kernel: 7, stride: 2, padding: 3, bias: false }),
    ),
  );
  const pooled = maxPool2d(builder, stem, { kernel: 3, stride: 2, padding: 1 });
  const branch = conv2d(builder, 'block', pooled, { channels, kernel: 3, padding: 1, bias: false });
  const joined = relu(builder, add(builder, batchNorm2d(builder, 'norm', branch), pooled));
  const logits = linear(builder, 'output', globalAveragePool(builder, joined), classes);
  return finishGraph(builder, [logSoftmax(builder, logits)]);
}

function checkState(graph: Graph): StateDict {
  const random = createRandom('self-check');
  return new Map(
    [...graph.parameters, ...graph.buffers].map((name): [string, Tensor] => {
      const { shape } = typeOf(graph, name);
      const values = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
      const spread = 1 / Math.sqrt(elementCount(shape.slice(1)));
      const isScale = shape.length === 1 && !name.endsWith('bias') && !name.endsWith('mean');
      return [name, float32Tensor(shape, isScale ? values.fill(1) : values.map((value) => value * spread))];
    }),
  );
}

function checkFeeds({ batch, side }: Size): Feeds {
  const random = createRandom('self-check images');
  const shape = [batch, 3, side, side];
  const images = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
  const targets = new Float32Array(batch * classes);
  for (let row = 0; row < batch; row++) targets[row * classes + (row % classes)] = 1 / batch;
  return new Map<string, Tensor>([
    ['images', float32Tensor(shape, images)],
    ['targets', float32Tensor([batch, classes], targets)],
  ]);
}

async function compile(engine: Engine, device: string, size: Size): Promise<TrainingModel> {
  const graph = checkNetwork(size, size.batch);
  const initial = { state: checkState(graph), optimizer: new Map<string, Tensor>(), step: 0 };
  return engine.compileTraining((batch) => checkNetwork(size, batch), initial, {
    trainable: new Set(graph.parameters),
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 0 },
    device,
  });
}

/** Seconds a step of so many; adds their losses to `losses`. */
async function timeSteps(model: TrainingModel, feeds: Feeds, steps: number, losses: number[] = []): Promise<number> {
  const start = performance.now();
  for (let step = 0; step < steps; step++) losses.push((await model.step([feeds], 0.01)).loss);
  return (performance.now() - start) / 1000 / steps;
}

async function computed(engine: Engine, device: string, size: Size) {
  const model = await compile(engine, device, size);
  try {
    const feeds = checkFeeds(size);
    const gradients = await model.gradients(feeds);
    const losses: number[] = [];
    // The first runs of a session allocate and tune; they say nothing of its speed.
    await timeSteps(model, feeds, 2, losses);
    return { gradients, secondsPerStep: await timeSteps(model, feeds, 3, losses), losses };
  } finally {
    await model.dispose();
  }
}

/** Seconds of a step of the network that is timed; `seconds` are those of a step of the compared one. */
async function timed(engine: Engine, device: string, sizes: CheckSizes, seconds: number): Promise<number> {
  const isHopeless = seconds > hopelessSeconds;
  // What is slow works through the images of a batch in proportion: one of them tells its time.
  const size = isHopeless ? { ...sizes.timed, batch: 1 } : sizes.timed;
  const model = await compile(engine, device, size);
  try {
    const feeds = checkFeeds(size);
    await timeSteps(model, feeds, isHopeless ? 1 : 2);
    const measured = await timeSteps(model, feeds, isHopeless ? 1 : 3);
    return (measured * sizes.timed.batch) / size.batch;
  } finally {
    await model.dispose();
  }
}

function largestDifference(actual: Tensor | undefined, expected: Tensor): number {
  if (actual?.dtype !== 'float32' || expected.dtype !== 'float32') return Number.POSITIVE_INFINITY;
  const scale = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
  const most = actual.data.reduce(
    (far, value, index) => Math.max(far, Math.abs(value - (expected.data[index] ?? 0))),
    0,
  );
  return Number.isNaN(most) ? Number.POSITIVE_INFINITY : most / scale;
}

/**
 * Trains a few steps of a small network on a device and compares its gradients and losses with the CPU's; then times
 * steps of a larger one. Throws what the device throws.
 */
export async function selfCheck(engine: Engine, device: string, sizes: CheckSizes = fullSizes): Promise<SelfCheck> {
  const { gradients, losses, secondsPerStep } = await computed(engine, device, sizes.compared);
  const reference = await computed(onnxEngine, 'cpu', sizes.compared);
  const differences = [...reference.gradients].map(([name, expected]) =>
    largestDifference(gradients.get(name), expected),
  );
  const lossDifferences = reference.losses.map((expected, step) =>
    Math.abs(((losses[step] ?? Number.NaN) - expected) / expected),
  );
  return {
    difference: Math.max(...differences),
    lossDifference: Math.max(...lossDifferences),
    secondsPerStep: await timed(engine, device, sizes, secondsPerStep),
  };
}
