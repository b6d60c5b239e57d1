import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { append, createGraphBuilder, finishGraph, input, parameter } from '../../../src/ml/graph/builder.ts';
import { averagePool2d } from '../../../src/ml/operators/pooling/averagePool.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { dropout } from '../../../src/ml/operators/elementwise/dropout.ts';
import { relu6 } from '../../../src/ml/operators/activation/activations.ts';
import { hardSwish } from '../../../src/ml/operators/activation/hardSwish.ts';
import { silu } from '../../../src/ml/operators/activation/silu.ts';
import { squeezeExcite } from '../../../src/ml/networks/layers/squeezeExcite.ts';
import { flatten, reshape } from '../../../src/ml/operators/movement/reshape.ts';
import { affine } from '../../../src/ml/operators/elementwise/affine.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import {
  logSoftmax,
  logSoftmaxLossGradient,
  negativeLogLikelihood,
} from '../../../src/ml/operators/loss/logSoftmax.ts';
import { none } from '../../../src/ml/operators/operator.ts';
import { maxPool2d, maxPoolGradient } from '../../../src/ml/operators/pooling/maxPool.ts';
import { relu, reluGradient } from '../../../src/ml/operators/activation/relu.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import type { PoolingOptions } from '../../../src/ml/operators/pooling/pooling.ts';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import type { Pair, Pooling } from '../../../src/ml/graph/geometry.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { around } from '../engine/around.ts';
import { maskImages, scaleChannels } from '../engine/broadcastProducts.ts';
import { blockedFormsEngine } from '../engine/blockedFormsEngine.ts';
import { checkGradients, conditionedValues, gradientsBy } from '../engine/checkGradients.ts';
import { doubleEngine } from '../engine/doubleEngine.ts';
import { assertClose, firstClass, randomValues } from '../engine/graphValues.ts';
import { inDouble, onnxRuntime, webgpuForms } from '../engine/enginesUnderTest.ts';
import { seed } from '../engine/seed.ts';

const pooled = (options: PoolingOptions) => (b: GraphBuilder, x: string) => maxPool2d(b, x, options);
const averaged = (b: GraphBuilder, x: string) => averagePool2d(b, x, { kernel: 2, stride: 2 });

/**
 * The operators of networks, each behind `c` channels or a multiple of it. With channels by the 16 an engine may hold
 * images in blocks of as many floats as a vector register takes.
 */
function differentiable(c: number): Record<string, Graph> {
  const three = { channels: c, kernel: 3, padding: 1 };
  return {
    'a convolution of stride 2': around((b, x) => conv2d(b, 'c', x, { ...three, channels: 2 * c, stride: 2 }), {
      shape: [2, c, 7, 5],
    }),
    'a 1x1 convolution': around((b, x) => conv2d(b, 'c', x, { channels: 2 * c, kernel: 1, bias: false }), {
      shape: [2, c, 5, 3],
    }),
    'a 1x1 convolution of stride 2': around((b, x) => conv2d(b, 'c', x, { channels: c, kernel: 1, stride: 2 }), {
      shape: [1, 2 * c, 5, 6],
    }),
    'a 7x7 stem over three colours': around(
      (b, x) => conv2d(b, 'c', x, { channels: c, kernel: 7, stride: 2, padding: 3, bias: false }),
      { shape: [2, 3, 9, 8] },
    ),
    'a convolution with more padding than its kernel reaches': around(
      (b, x) => conv2d(b, 'c', x, { channels: c, kernel: 2, padding: 2 }),
      { shape: [1, c, 5, 4] },
    ),
    'a convolution with stride 3, whose last pixels no kernel sees': around(
      (b, x) => conv2d(b, 'c', x, { channels: c, kernel: 2, stride: 3 }),
      { shape: [2, c, 7, 6] },
    ),
    'a depthwise convolution': around((b, x) => conv2d(b, 'c', x, { ...three, groups: c }), { shape: [2, c, 5, 4] }),
    'a depthwise 5x5 convolution of stride 2 behind batch norm': around(
      (b, x) => {
        const y = conv2d(b, 'c', batchNorm2d(b, 'n', x), { channels: c, kernel: 5, stride: 2, padding: 2, groups: c });
        return relu(b, batchNorm2d(b, 'm', y));
      },
      { batchNorm: 'batch', shape: [2, c, 8, 7] },
    ),
    'a depthwise convolution that leaves pixels out': around(
      (b, x) => conv2d(b, 'c', x, { channels: c, kernel: 2, stride: 3, groups: c, bias: false }),
      { shape: [1, c, 8, 7] },
    ),
    'a convolution in two groups': around(
      (b, x) => conv2d(b, 'c', x, { channels: 2 * c, kernel: 3, padding: 1, groups: 2 }),
      { shape: [2, 2 * c, 4, 3] },
    ),
    'an inverted residual block': around(
      (b, x) => {
        const wide = relu6(
          b,
          batchNorm2d(b, 'n1', conv2d(b, 'expand', x, { channels: 2 * c, kernel: 1, bias: false })),
        );
        const deep = silu(b, conv2d(b, 'depth', wide, { ...three, channels: 2 * c, groups: 2 * c }));
        const gated = squeezeExcite(b, 'se', deep, { squeezed: 3, activation: silu });
        const narrow = conv2d(b, 'project', gated, { channels: c, kernel: 1 });
        return add(b, maskImages(b, 'drop', narrow, 0.5), x);
      },
      { batchNorm: 'batch', shape: [2, c, 4, 3] },
    ),
    'a constant added behind a convolution': around(
      (b, x) => relu(b, affine(b, conv2d(b, 'c', x, { ...three, bias: false }), { scale: 1, shift: 0.5 })),
      { shape: [2, c, 3, 4] },
    ),
    'a value a channel added behind a convolution': around(
      (b, x) => {
        const values = reshape(b, parameter(b, 'values', [c]), [1, c, 1, 1], 'image');
        return silu(b, add(b, conv2d(b, 'c', x, { ...three, bias: false }), values));
      },
      { shape: [2, c, 3, 4] },
    ),
    'hard swish and a factor a channel': around(
      (b, x) => conv2d(b, 'c', scaleChannels(b, 'scale', hardSwish(b, x)), three),
      {
        shape: [2, c, 3, 4],
      },
    ),
    'average pooling with overlap': around((b, x) => averagePool2d(b, x, { kernel: 3, stride: 2, padding: 1 }), {
      shape: [2, c, 6, 5],
    }),
    'a 1x1 map': around((b, x) => conv2d(b, 'c', x, three), { shape: [1, c, 1, 1] }),
    'batch norm by the batch': around((b, x) => batchNorm2d(b, 'n', x), { batchNorm: 'batch', shape: [3, c, 5, 7] }),
    'batch norm by a batch of one': around((b, x) => batchNorm2d(b, 'n', x), {
      batchNorm: 'batch',
      shape: [1, c, 5, 7],
    }),
    'batch norm by running statistics': around((b, x) => batchNorm2d(b, 'n', x), { shape: [1, c, 5, 7] }),
    ReLU: around(relu, { shape: [2, c, 4, 3] }),
    'max pooling 3x3 of stride 2 with padding': around(pooled({ kernel: 3, stride: 2, padding: 1 }), {
      shape: [2, c, 6, 8],
    }),
    'the same over odd sizes': around(pooled({ kernel: 3, stride: 2, padding: 1 }), { shape: [1, c, 9, 11] }),
    'max pooling 2x2': around(pooled({ kernel: 2, stride: 2 }), { shape: [2, c, 6, 4] }),
    'max pooling 2x2 that leaves a border out': around(pooled({ kernel: 2, stride: 2 }), { shape: [1, c, 7, 9] }),
    'max pooling in ceil mode': around(pooled({ kernel: 3, stride: 2, ceilMode: true }), { shape: [2, c, 8, 6] }),
    'max pooling in ceil mode over odd sizes': around(pooled({ kernel: 3, stride: 2, ceilMode: true }), {
      shape: [1, c, 7, 5],
    }),
    'max pooling whose stride is larger than its window': around(pooled({ kernel: 2, stride: 3 }), {
      shape: [1, c, 9, 8],
    }),
    'max pooling of stride 1': around(pooled({ kernel: 3, stride: 1, padding: 1 }), { shape: [1, c, 5, 4] }),
    'average pooling 2x2': around(averaged, { shape: [2, c, 6, 8] }),
    'average pooling 2x2 over odd sizes': around(averaged, { shape: [1, c, 7, 5] }),
    'global average pooling': around(globalAveragePool, { shape: [2, c, 3, 5] }),
    'a dense block': around(
      (b, x) => {
        const grown = concat(b, [x, conv2d(b, 'grow', relu(b, x), { ...three, channels: 2 * c })]);
        return concat(b, [grown, conv2d(b, 'more', batchNorm2d(b, 'n', grown), { channels: c, kernel: 1 })]);
      },
      { shape: [2, c, 4, 3], batchNorm: 'batch' },
    ),
    'a convolution behind batch norm': around((b, x) => conv2d(b, 'c', batchNorm2d(b, 'n', x), three), {
      batchNorm: 'batch',
      shape: [2, c, 4, 3],
    }),
    'a convolution behind batch norm and ReLU': around(
      (b, x) => conv2d(b, 'c', relu(b, batchNorm2d(b, 'n', x)), { ...three, stride: 2 }),
      { batchNorm: 'batch', shape: [2, c, 5, 3] },
    ),
    'a dense block of layers that begin with batch norm': around(
      (b, x) => {
        const grown = (from: string, name: string) =>
          concat(b, [from, conv2d(b, name, relu(b, batchNorm2d(b, `${name}.n`, from)), { channels: c, kernel: 1 })]);
        return relu(b, batchNorm2d(b, 'last', grown(grown(grown(x, 'one'), 'two'), 'three')));
      },
      { batchNorm: 'batch', shape: [2, c, 4, 3] },
    ),
    'a residual block': around((b, x) => add(b, relu(b, conv2d(b, 'c', x, three)), x), { shape: [2, c, 4, 3] }),
    'a value added to itself': around((b, x) => add(b, x, x), { shape: [2, c, 2, 3] }),
    'a dropout mask': around((b, x) => dropout(b, 'd', globalAveragePool(b, x), 0.5), { shape: [3, c, 2, 2] }),
    'a dropout mask over a map': around((b, x) => conv2d(b, 'c', dropout(b, 'd', relu(b, x), 0.5), three), {
      shape: [2, c, 3, 2],
    }),
    'the stem of a residual network': around(
      (b, x) => relu(b, maxPool2d(b, batchNorm2d(b, 'n', x), { kernel: 3, stride: 2, padding: 1 })),
      { batchNorm: 'batch', shape: [2, c, 6, 5] },
    ),
    'channels that are too few for a block on the way': around(
      (b, x) => {
        const few = relu(b, conv2d(b, 'few', x, { ...three, channels: 4 }));
        return add(b, x, conv2d(b, 'many', few, three));
      },
      { shape: [2, c, 3, 4] },
    ),
    'a block joined from smaller parts': around(
      (b, x) => {
        const part = (name: string, channels: number) => conv2d(b, name, x, { ...three, channels });
        return conv2d(b, 'c', concat(b, [part('few', 4), part('rest', 2 * c - 4)]), three);
      },
      { shape: [1, c, 4, 3] },
    ),
    'channels that fill blocks and others that do not': around(
      (b, x) => concat(b, [conv2d(b, 'c', x, { ...three, channels: c + 4 }), x]),
      { shape: [1, c, 3, 4] },
    ),
  };
}

for (const channels of [5, 16]) {
  for (const [name, graph] of Object.entries(differentiable(channels))) {
    test(`the gradients through ${name} (${channels} channels) are those of finite differences`, async () => {
      const random = createRandom(seed, name, 'layouts');
      const mixed = () => ({ engine: blockedFormsEngine(() => random.next() < 0.6) });
      const others =
        channels === 16 ? [{ engine: blockedFormsEngine() }, mixed(), mixed(), mixed()] : [inDouble, webgpuForms];
      await checkGradients([onnxRuntime, ...others], graph, createRandom(seed, name));
    });
  }
}

test('the gradients through max pooling behind batch norm and ReLU are those of float64', async () => {
  const graph = around((b, x) => maxPool2d(b, relu(b, batchNorm2d(b, 'n', x)), { kernel: 3, stride: 2, padding: 1 }), {
    batchNorm: 'batch',
    shape: [2, 16, 9, 8],
  });
  const random = createRandom(seed, 'pooling behind batch norm');
  const values = conditionedValues(graph, () => randomValues(graph, random));
  const targets = firstClass(2, 3, 1 / 2);
  const expected = await gradientsBy(doubleEngine, graph, values, targets);
  const actual = await gradientsBy(blockedFormsEngine(), graph, values, targets);
  // The bias before batch norm has no gradient but rounding.
  for (const name of ['before.weight', 'n.weight', 'n.bias', 'behind.weight']) {
    assertClose(
      Array.from(actual.get(name)?.data ?? [], Number),
      Array.from(expected.get(name)?.data ?? [], Number),
      1e-4,
      name,
    );
  }
});

/** Runs one operator by itself: its inputs are the graph's. */
async function run(
  inputs: ReadonlyMap<string, Tensor>,
  build: (builder: GraphBuilder, names: readonly string[]) => string,
): Promise<number[]> {
  const builder = createGraphBuilder();
  const names = [...inputs].map(([name, { shape }]) => input(builder, name, shape));
  const graph = finishGraph(builder, [build(builder, names)]);
  const model = await onnxEngine.compileInference(() => graph, new Map(), 'cpu');
  const [result] = (await model.run(inputs)).values();
  await model.dispose();
  return Array.from(result?.data ?? [], Number);
}

const windows: Record<string, Pooling> = {
  '3x3 of stride 2 with padding': { kernel: [3, 3], stride: [2, 2], padding: [1, 1], ceilMode: false },
  '3x3 of stride 2 in ceil mode': { kernel: [3, 3], stride: [2, 2], padding: [0, 0], ceilMode: true },
  '2x2': { kernel: [2, 2], stride: [2, 2], padding: [0, 0], ceilMode: false },
};

/** Each window's dy goes to the first of its largest values in scan order. */
function gradientOfFirst(x: Tensor, y: Tensor, dy: Tensor, { kernel, stride, padding }: Pooling): number[] {
  const [, , height = 1, width = 1] = x.shape;
  const [, , outHeight = 1, outWidth = 1] = y.shape;
  const dx = new Array<number>(x.data.length).fill(0);
  for (let window = 0; window < y.data.length; window++) {
    const map = Math.floor(window / (outHeight * outWidth));
    const top = (Math.floor(window / outWidth) % outHeight) * stride[0] - padding[0];
    const left = (window % outWidth) * stride[1] - padding[1];
    const seen = Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
      const [row, column] = [top + Math.floor(tap / kernel[1]), left + (tap % kernel[1])];
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      return inside ? (map * height + row) * width + column : -1;
    }).filter((index) => index >= 0);
    const most = Math.max(...seen.map((index) => Number(x.data[index])));
    const first = seen.find((index) => Number(x.data[index]) === most);
    assert.ok(first !== undefined);
    dx[first] = (dx[first] ?? 0) + Number(dy.data[window]);
  }
  return dx;
}

for (const [name, pooling] of Object.entries(windows)) {
  test(`max pooling ${name} gives a tie's gradient once, to the first in scan order`, async () => {
    const random = createRandom(seed, name);
    const whole = (shape: readonly number[], bound: number) =>
      float32Tensor(
        shape,
        Float32Array.from({ length: elementCount(shape) }, () => random.integer(bound)),
      );
    // Three levels make most windows a tie, as zeros do behind a ReLU.
    const x = whole([2, 2, 9, 8], 3);
    const builder = createGraphBuilder();
    const [kernel, stride, padding] = [pooling.kernel[0], pooling.stride[0], pooling.padding[0]];
    const options = { kernel, stride, padding, ceilMode: pooling.ceilMode };
    const outShape = typeOf(builder, maxPool2d(builder, input(builder, 'x', x.shape), options)).shape;
    const pooledValues = await run(new Map([['x', x]]), (b, [value = '']) => maxPool2d(b, value, options));
    const y = float32Tensor(outShape, Float32Array.from(pooledValues));
    const dy = whole(outShape, 100);
    const feeds = new Map([
      ['dy', dy],
      ['x', x],
      ['y', y],
    ]);
    const actual = await run(feeds, (b, names) => append(b, maxPoolGradient, pooling, names));
    assert.deepEqual(actual, gradientOfFirst(x, y, dy, pooling));
  });
}

interface TieCase extends Pooling {
  readonly size: Pair;
}

const behindRelu: Record<string, TieCase> = {
  '3x3 of stride 2 with padding': { ...windows['3x3 of stride 2 with padding'], size: [6, 8] } as TieCase,
  'the same over odd sizes': { ...windows['3x3 of stride 2 with padding'], size: [9, 7] } as TieCase,
  '3x3 of stride 2 in ceil mode': { ...windows['3x3 of stride 2 in ceil mode'], size: [8, 7] } as TieCase,
  '3x3 of stride 1': { kernel: [3, 3], stride: [1, 1], padding: [1, 1], ceilMode: false, size: [5, 4] },
  '2x2 that leaves a border out': { ...windows['2x2'], size: [7, 9] } as TieCase,
};

for (const [name, pooling] of Object.entries(behindRelu)) {
  for (const channels of [2, 16]) {
    test(`max pooling ${name} behind a ReLU (${channels} channels) gives each gradient to the first of its window`, async () => {
      const random = createRandom(seed, `${name} ${channels}`);
      const whole = (shape: readonly number[], from: number, to: number) =>
        float32Tensor(
          shape,
          Float32Array.from({ length: elementCount(shape) }, () => from + random.integer(to - from)),
        );
      // Each pixel of the pooled map has a weight of its own, and the identity before it makes few levels, so many ties.
      const pool = (b: GraphBuilder, x: string) =>
        maxPool2d(b, relu(b, x), {
          kernel: pooling.kernel[0],
          stride: pooling.stride[0],
          padding: pooling.padding[0],
          ceilMode: pooling.ceilMode,
        });
      const shape = [1, channels, ...pooling.size];
      const builder = createGraphBuilder();
      const same = conv2d(builder, 'same', input(builder, 'x', shape), { channels, kernel: 1 });
      const pooledName = pool(builder, same);
      const pooledShape = typeOf(builder, pooledName).shape;
      const graph = finishGraph(builder, [
        logSoftmax(builder, linear(builder, 'behind', flatten(builder, pooledName), 2)),
      ]);
      const count = elementCount(pooledShape);
      const x = whole(shape, -2, 3);
      const weights = whole([2, count], -9, 10);
      const identity = Float32Array.from({ length: channels ** 2 }, (_, at) => (at % (channels + 1) === 0 ? 1 : 0));
      const state = new Map<string, Tensor>([
        ['same.weight', float32Tensor([channels, channels, 1, 1], identity)],
        ['same.bias', float32Tensor([channels])],
        ['behind.weight', weights],
        // Certain of the first class, which is wrong: the logits' gradient is 1 and -1.
        ['behind.bias', float32Tensor([2], Float32Array.of(1e6, 0))],
      ]);
      const model = await onnxEngine.compileTraining(
        () => graph,
        { state, optimizer: new Map(), step: 0 },
        {
          trainable: new Set(graph.parameters),
          optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 },
          device: 'cpu',
        },
      );
      const targets = float32Tensor([1, 2], Float32Array.of(0, 1));
      const gradients = await model.gradients(
        new Map([
          ['x', x],
          ['targets', targets],
        ]),
      );
      await model.dispose();

      const above = float32Tensor(
        shape,
        Float32Array.from(x.data, (value) => Math.max(0, value)),
      );
      const y = float32Tensor(
        pooledShape,
        Float32Array.from(await run(new Map([['x', x]]), (b, [v = '']) => pool(b, v))),
      );
      const dy = float32Tensor(
        pooledShape,
        Float32Array.from({ length: count }, (_, at) => Number(weights.data[at]) - Number(weights.data[count + at])),
      );
      const dx = gradientOfFirst(above, y, dy, pooling).map((slope, at) => (Number(above.data[at]) > 0 ? slope : 0));
      const size = pooling.size[0] * pooling.size[1];
      const sums = (factor: (at: number) => number) =>
        Array.from({ length: channels }, (_, channel) =>
          dx
            .slice(channel * size, (channel + 1) * size)
            .reduce((sum, slope, pixel) => sum + slope * factor(channel * size + pixel), 0),
        );
      const biases = Array.from(gradients.get('same.bias')?.data ?? [], Number);
      assertClose(
        biases,
        sums(() => 1),
        1e-5,
        'the bias',
      );
      const own = Array.from({ length: channels }, (_, channel) =>
        Number(gradients.get('same.weight')?.data[channel * (channels + 1)]),
      );
      assertClose(
        own,
        sums((at) => Number(x.data[at])),
        1e-5,
        'the weights',
      );
    });
  }
}

test('ReLU lets the gradient through where its output is above zero, however small, and nowhere else', async () => {
  const y = Float32Array.of(0, -0, 1e-37, 1e-30, 1e-8, 1, 3e38, Infinity);
  const dy = Float32Array.of(3, 3, 3, 3, 3, 3, 3, 3);
  const feeds = new Map([
    ['dy', float32Tensor([1, 8], dy)],
    ['y', float32Tensor([1, 8], y)],
  ]);
  const gradient = await run(feeds, (b, names) => append(b, reluGradient, none, names));
  assert.deepEqual(gradient, [0, 0, 3, 3, 3, 3, 3, 3]);
});

test('the loss and its gradient are those of the definition, also where a probability is next to nothing', async () => {
  const logits = Float32Array.of(100, 0, -100, 1, 2, 3);
  const targets = Float32Array.of(0, 0, 0.5, 0.1, 0.2, 0.4);
  const feeds = new Map([
    ['x', float32Tensor([2, 3], logits)],
    ['targets', float32Tensor([2, 3], targets)],
  ]);
  const loss = await run(feeds, (b, [x = '', t = '']) => {
    return append(b, negativeLogLikelihood, none, [logSoftmax(b, x), t]);
  });
  const second = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3));
  const expected = 0.5 * 200 + 0.1 * (second - 1) + 0.2 * (second - 2) + 0.4 * (second - 3);
  assert.ok(Math.abs((loss[0] ?? NaN) - expected) < 1e-4, `${loss.join()} is not ${expected}`);
  const gradient = await run(feeds, (b, [x = '', t = '']) => {
    return append(b, logSoftmaxLossGradient, none, [logSoftmax(b, x), t]);
  });
  const share = [1, 2, 3].map((value) => 0.7 * Math.exp(value - second));
  const wanted = [0.5, 0, -0.5, (share[0] ?? NaN) - 0.1, (share[1] ?? NaN) - 0.2, (share[2] ?? NaN) - 0.4];
  for (const [index, value] of wanted.entries()) assert.ok(Math.abs((gradient[index] ?? NaN) - value) < 1e-6);
});

test('where only the last layers are trained, few channels before them stay as they are', async () => {
  const build = (b: GraphBuilder, x: string) => {
    const few = relu(b, conv2d(b, 'few', x, { channels: 4, kernel: 3, padding: 1 }));
    return conv2d(b, 'many', few, { channels: 32, kernel: 1 });
  };
  const graph = around(build, { shape: [2, 16, 4, 3] });
  await checkGradients([onnxRuntime], graph, createRandom(seed), {
    trainable: new Set(['many.weight', 'behind.bias']),
  });
});
