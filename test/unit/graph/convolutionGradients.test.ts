import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { conv2dWeightGradient } from '../../../src/ml/operators/convolution/conv2dWeightGradient.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import type { Pair } from '../../../src/ml/graph/geometry.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { around } from '../engine/around.ts';
import { blockedFormsEngine } from '../engine/blockedFormsEngine.ts';
import { checkGradients, gradientsBy } from '../engine/checkGradients.ts';
import { assertClose, firstClass, randomValues } from '../engine/graphValues.ts';
import { inDouble, onnxRuntime, webgpuForms } from '../engine/enginesUnderTest.ts';
import { seed } from '../engine/seed.ts';
import { webgpuFormsEngine } from '../engine/webgpuFormsEngine.ts';

type Shape = readonly [batch: number, channels: number, height: number, width: number];

/** A convolution's weight gradient has forms of its own for few channels, and for 1x1 kernels on large maps (400 pixels). */
const weightGradientForms: Record<string, { channels: number; size: (stride: number) => Pair }> = {
  'few channels': { channels: 3, size: () => [12, 9] },
  'a large map': { channels: 5, size: (stride) => [21 * stride + 1, 20 * stride] },
  'a small map': { channels: 5, size: () => [10, 13] },
};

const convolutions = [1, 3, 7].flatMap((kernel) => [1, 2].map((stride) => ({ kernel, stride })));

for (const [form, { channels, size }] of Object.entries(weightGradientForms)) {
  for (const { kernel, stride } of convolutions) {
    const batch = { 1: 2, 3: 1, 7: form === 'a large map' ? 1 : 3 }[kernel] ?? 1;
    const shape: Shape = [batch, channels, ...size(stride)];
    const bias = kernel !== 7;
    const name = `a ${kernel}x${kernel} convolution of stride ${stride} over ${form}, batch ${batch}`;
    test(`the gradients through ${name}, are those of finite differences`, async () => {
      const padding = (kernel - 1) / 2;
      const build = (b: GraphBuilder, x: string) => conv2d(b, 'c', x, { channels: 2, kernel, stride, padding, bias });
      const graph = around(build, { shape });
      await checkGradients([onnxRuntime, inDouble], graph, createRandom(seed, name));
    });
  }
}

interface OverBlocks {
  readonly shape: Shape;
  readonly channels: number;
  readonly kernel: number | Pair;
  readonly options?: object;
}

/**
 * Convolutions over batches, or pixels, by the 16, whose weight gradient has forms of its own where images are held in
 * blocks: more or fewer channels going in than out, one column or many, strides that leave columns out, and colours.
 */
const overBlocksOfImages: Record<string, OverBlocks> = {
  'a 3x3 convolution to more channels': { shape: [32, 16, 5, 4], channels: 32, kernel: 3, options: { padding: 1 } },
  'a 3x3 convolution to fewer channels': { shape: [16, 32, 3, 5], channels: 16, kernel: 3, options: { padding: 1 } },
  'a 3x3 convolution without padding': { shape: [16, 32, 4, 5], channels: 16, kernel: 3 },
  'a 3x3 convolution of stride 2': {
    shape: [16, 16, 7, 6],
    channels: 16,
    kernel: 3,
    options: { stride: 2, padding: 1 },
  },
  'a 3x3 convolution of stride 2 to fewer channels': {
    shape: [16, 32, 6, 7],
    channels: 16,
    kernel: 3,
    options: { stride: 2, padding: 1 },
  },
  'a 1x3 convolution to more channels': {
    shape: [16, 16, 4, 5],
    channels: 32,
    kernel: [1, 3],
    options: { padding: [0, 1] },
  },
  'a 3x2 convolution to fewer channels': {
    shape: [16, 32, 5, 4],
    channels: 16,
    kernel: [3, 2],
    options: { padding: [1, 0] },
  },
  'a 2x3 convolution of stride 1x2': {
    shape: [16, 16, 5, 6],
    channels: 32,
    kernel: [2, 3],
    options: { stride: [1, 2], padding: [0, 1] },
  },
  'a convolution that reaches less than its padding': {
    shape: [16, 32, 3, 2],
    channels: 16,
    kernel: 2,
    options: { padding: 2 },
  },
  'a 1x1 convolution to fewer channels': { shape: [32, 32, 2, 3], channels: 16, kernel: 1 },
  'a 1x1 convolution to more channels': { shape: [16, 16, 2, 3], channels: 48, kernel: 1 },
  'a 1x1 convolution over blocks of pixels to fewer channels': { shape: [3, 48, 4, 8], channels: 16, kernel: 1 },
  'a 1x1 convolution over blocks of pixels to more channels': { shape: [2, 16, 4, 4], channels: 32, kernel: 1 },
  'a 1x1 convolution over maps of no whole blocks': { shape: [8, 32, 2, 6], channels: 16, kernel: 1 },
  'a 1x1 convolution of stride 2': { shape: [16, 16, 5, 4], channels: 32, kernel: 1, options: { stride: 2 } },
  'a 7x7 stem over three colours': {
    shape: [16, 3, 9, 11],
    channels: 16,
    kernel: 7,
    options: { stride: 2, padding: 3 },
  },
  'a 3x3 stem over three colours': { shape: [16, 3, 5, 4], channels: 16, kernel: 3 },
};

for (const [name, { shape, channels, kernel, options }] of Object.entries(overBlocksOfImages)) {
  test(`the gradients through ${name}, over a batch of ${shape[0]}, are those of finite differences`, async () => {
    const builder = createGraphBuilder();
    const images = input(builder, 'x', [shape[0], 3, shape[2], shape[3]]);
    // A convolution before it, where it does not read colours, makes its own input's gradient count too.
    const x = shape[1] === 3 ? images : conv2d(builder, 'before', images, { channels: shape[1], kernel: 1 });
    const y = globalAveragePool(builder, relu(builder, conv2d(builder, 'c', x, { ...options, channels, kernel })));
    const graph = finishGraph(builder, [logSoftmax(builder, linear(builder, 'behind', y, 3))]);
    // WebGPU's forms, too: an image at a time with all taps, and all images together with few taps at a time.
    const fewTaps = { engine: webgpuFormsEngine({ busyGroups: 1, columnBytes: 40_000, joinedElements: 0 }) };
    const engines = [onnxRuntime, { engine: blockedFormsEngine() }, webgpuForms, fewTaps];
    await checkGradients(engines, graph, createRandom(seed, name));
  });
}

/**
 * Depthwise convolutions whose images are plain in a model in blocks: their own blocks and those of their gradients reach
 * over the images, where the maps of all together are whole blocks and there is no bias.
 */
const depthwiseInPlainLayout: Record<string, { shape: Shape; kernel: number; options?: object }> = {
  'a 3x3 kernel': { shape: [4, 12, 5, 4], kernel: 3, options: { padding: 1 } },
  'a 3x3 kernel over a channel fewer than a block and images by the block': {
    shape: [16, 15, 4, 5],
    kernel: 3,
    options: { padding: 1 },
  },
  'a 5x5 kernel of stride 2': { shape: [2, 24, 8, 7], kernel: 5, options: { stride: 2, padding: 2 } },
  'a 3x3 kernel without bias': { shape: [4, 12, 5, 4], kernel: 3, options: { padding: 1, bias: false } },
  'a 5x5 kernel of stride 2 without bias': {
    shape: [2, 24, 8, 7],
    kernel: 5,
    options: { stride: 2, padding: 2, bias: false },
  },
  'a kernel without bias that the model holds in blocks': {
    shape: [2, 16, 5, 4],
    kernel: 3,
    options: { padding: 1, bias: false },
  },
  'a kernel that leaves pixels out': { shape: [8, 6, 8, 7], kernel: 2, options: { stride: 3 } },
  'a dilated kernel': { shape: [4, 4, 7, 6], kernel: 3, options: { dilation: 2, padding: 2 } },
  'a kernel over maps that are no whole blocks': { shape: [3, 7, 5, 4], kernel: 3, options: { padding: 1 } },
  'a kernel that the model holds in blocks': { shape: [2, 16, 5, 4], kernel: 3, options: { padding: 1 } },
};

for (const [name, { shape, kernel, options }] of Object.entries(depthwiseInPlainLayout)) {
  test(`the gradients through ${name}, depthwise over [${shape.join(', ')}], are those of finite differences`, async () => {
    const channels = shape[1];
    const graph = around((b, x) => conv2d(b, 'c', x, { ...options, channels, kernel, groups: channels }), { shape });
    const plainGradient = blockedFormsEngine(({ operator }) => operator !== conv2dWeightGradient);
    const plain = blockedFormsEngine(
      ({ operator, inputs }) => operator !== conv2dWeightGradient && !inputs.includes('c.weight'),
    );
    await checkGradients([{ engine: plainGradient }, { engine: plain }], graph, createRandom(seed, name));
  });
}

/** Convolutions before a batch norm whose map is so large that their weights take over the factor of its gradient. */
const beforeBatchNorm: Record<string, { shape: Shape; channels: number; kernel: number; options?: object }> = {
  'a 1x1 convolution': { shape: [8, 16, 6, 5], channels: 32, kernel: 1 },
  'a 3x3 convolution': { shape: [16, 16, 9, 10], channels: 16, kernel: 3, options: { padding: 1 } },
  'a 3x3 convolution of stride 2': { shape: [16, 16, 18, 17], channels: 16, kernel: 3, options: { stride: 2 } },
  'a stem over three colours': { shape: [16, 3, 12, 10], channels: 16, kernel: 3, options: { stride: 2 } },
};

for (const [name, { shape, channels, kernel, options }] of Object.entries(beforeBatchNorm)) {
  test(`the gradients through ${name} before a batch norm with a large map are those of finite differences`, async () => {
    const builder = createGraphBuilder('batch');
    const images = input(builder, 'x', [shape[0], 3, shape[2], shape[3]]);
    const x = shape[1] === 3 ? images : conv2d(builder, 'before', images, { channels: shape[1], kernel: 1 });
    const c = conv2d(builder, 'c', x, { ...options, channels, kernel, bias: false });
    const y = globalAveragePool(builder, relu(builder, batchNorm2d(builder, 'n', c)));
    const graph = finishGraph(builder, [logSoftmax(builder, linear(builder, 'behind', y, 3))]);
    const random = createRandom(seed, name, 'layouts');
    const mixed = { engine: blockedFormsEngine(() => random.next() < 0.7) };
    await checkGradients([{ engine: blockedFormsEngine() }, mixed], graph, createRandom(seed, name));
  });
}

test('the gradients of a batch so large that maps are taken by slices of columns are the sum of those of its halves', async () => {
  const size = 136;
  const graphOf = (batch: number) =>
    around((b, x) => globalAveragePool(b, relu(b, conv2d(b, 'c', x, { channels: 16, kernel: 3, padding: 1 }))), {
      shape: [batch, 16, size, size],
    });
  const state = randomValues(graphOf(32), createRandom(seed, 'slices'));
  const x = state.get('x');
  assert.ok(x?.dtype === 'float32');
  const half = x.data.length / 2;
  const gradientsOf = (rows: number, data: Float32Array) =>
    gradientsBy(
      onnxEngine,
      graphOf(rows),
      new Map([...state, ['x', float32Tensor([rows, 2, size, size], data)]]),
      firstClass(rows, 3, 1 / 32),
    );
  const whole = await gradientsOf(32, x.data);
  const first = await gradientsOf(16, x.data.subarray(0, half));
  const second = await gradientsOf(16, x.data.subarray(half));
  const valuesOf = (gradients: ReadonlyMap<string, Tensor>) =>
    Array.from(gradients.get('c.weight')?.data ?? [], Number);
  const other = valuesOf(second);
  const sum = valuesOf(first).map((value, at) => value + (other[at] ?? NaN));
  assertClose(valuesOf(whole), sum, 1e-4, 'the gradient');
});
