import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import {
  add,
  append,
  averagePool2d,
  batchNorm2d,
  concat,
  conv2d,
  createGraphBuilder,
  dropout,
  finishGraph,
  flatten,
  globalAveragePool,
  input,
  linear,
  logSoftmax,
  maxPool2d,
  normalize,
  parameter,
  relu,
  type GraphBuilder,
} from '../../../src/ml/graph/builder.ts';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import { createRandom, permutation, type Random } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { runDouble, type Doubles } from './doubleForward.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
console.log(`seed ${seed} (set TEST_SEED to repeat)`);

/** Random tensors for a graph's inputs, parameters and buffers; running variances are positive, images are bytes where the graph says so. */
function randomValues(graph: Graph, random: Random): Map<string, Tensor> {
  const names = [...graph.inputs, ...graph.parameters, ...graph.buffers];
  return new Map(names.map((name) => [name, randomTensor(graph, name, random)]));
}

function randomTensor(graph: Graph, name: string, random: Random): Tensor {
  const { dtype, shape } = typeOf(graph, name);
  const length = elementCount(shape);
  if (dtype === 'uint8') return { dtype, shape, data: Uint8Array.from({ length }, () => random.integer(256)) };
  const value = () => (name.endsWith('running_var') ? 0.5 + random.next() : random.normal());
  return float32Tensor(shape, Float32Array.from({ length }, value));
}

function doubles(values: ReadonlyMap<string, Tensor>): Doubles {
  return new Map([...values].map(([name, { data }]) => [name, Float64Array.from(data, Number)]));
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string) {
  assert.equal(actual.length, expected.length, what);
  const scale = Math.max(1e-3, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    assert.ok(off <= tolerance * scale, `${what}[${i}] is ${actual[i]}, not ${expected[i]}`);
  }
}

const rank4 = (builder: GraphBuilder, channels = 4, height = 7, width = 6) =>
  input(builder, 'x', [2, channels, height, width]);

function generalConvolution(
  builder: GraphBuilder,
  options: { groups: number; dilation: [number, number]; stride: [number, number] },
) {
  const { groups, dilation, stride } = options;
  const [height, width] = [9, 8];
  const x = rank4(builder, 4, height, width);
  const weight = parameter(builder, 'w', [8, 4 / groups, 3, 2]);
  const size = (length: number, kernel: number, axis: 0 | 1, padding: number) =>
    Math.floor((length + 2 * padding - dilation[axis] * (kernel - 1) - 1) / stride[axis]) + 1;
  const shape = [2, 8, size(height, 3, 0, 2), size(width, 2, 1, 1)];
  return append(builder, { op: 'conv2d', stride, dilation, groups, padding: [2, 1] }, [x, weight], [shape])[0];
}

/** Each builds one operator, or a few, on random inputs. */
const networks: Record<string, (builder: GraphBuilder) => string> = {
  'a convolution with stride 2 and padding': (b) =>
    conv2d(b, 'c', rank4(b), { channels: 3, kernel: 3, stride: 2, padding: 1 }),
  'a convolution without bias': (b) => conv2d(b, 'c', rank4(b), { channels: 3, kernel: 1, bias: false }),
  'a convolution in groups': (b) => generalConvolution(b, { groups: 2, dilation: [1, 1], stride: [2, 1] }),
  'a depthwise convolution': (b) => generalConvolution(b, { groups: 4, dilation: [1, 1], stride: [1, 1] }),
  'a dilated convolution': (b) => generalConvolution(b, { groups: 1, dilation: [2, 3], stride: [1, 2] }),
  'batch norm by running statistics': (b) => batchNorm2d(b, 'n', rank4(b)),
  'batch norm by the batch': (b) => batchNorm2d({ ...b, batchNorm: 'batch' }, 'n', rank4(b)),
  ReLU: (b) => relu(b, rank4(b)),
  'max pooling with padding': (b) => maxPool2d(b, rank4(b), { kernel: 3, stride: 2, padding: 1 }),
  'max pooling in ceil mode': (b) => maxPool2d(b, rank4(b, 4, 8, 6), { kernel: 3, stride: 2, ceilMode: true }),
  'max pooling that leaves a border out': (b) => maxPool2d(b, rank4(b, 4, 8, 7), { kernel: 2, stride: 3 }),
  'average pooling with padding': (b) => averagePool2d(b, rank4(b), { kernel: 3, stride: 2, padding: 1 }),
  'average pooling in ceil mode with padding': (b) =>
    averagePool2d(b, rank4(b, 4, 8, 9), { kernel: 3, stride: 2, padding: 1, ceilMode: true }),
  'global average pooling': (b) => globalAveragePool(b, rank4(b)),
  concatenation: (b) => {
    const x = rank4(b);
    return concat(b, [x, relu(b, x), x]);
  },
  addition: (b) => {
    const x = rank4(b);
    return add(b, x, relu(b, x));
  },
  flattening: (b) => flatten(b, rank4(b)),
  'a linear layer': (b) => linear(b, 'l', input(b, 'x', [3, 5]), 4),
  dropout: (b) => dropout(b, 'd', input(b, 'x', [3, 5]), 0.5),
  'log-softmax': (b) => logSoftmax(b, input(b, 'x', [3, 5])),
  'normalisation of bytes': (b) =>
    normalize(b, input(b, 'x', [2, 3, 4, 5], 'uint8'), { scale: [0.1, 0.2, 0.3], shift: [-1, 0, 2], order: [2, 1, 0] }),
};

for (const [name, build] of Object.entries(networks)) {
  test(`${name} computes what its definition says`, async () => {
    const builder = createGraphBuilder();
    const graph = finishGraph(builder, [build(builder)]);
    const values = randomValues(graph, createRandom(seed, name));
    const model = await tensorflowEngine.compileInference(() => graph, values, 'cpu');
    const outputs = await model.run(values);
    await model.dispose();
    const expected = runDouble(graph, doubles(values));
    for (const output of graph.outputs) {
      const actual = outputs.get(output);
      assert.deepEqual(actual?.shape, typeOf(graph, output).shape);
      assertClose(Array.from(actual.data, Number), expected.get(output) ?? [], 1e-5, name);
    }
  });
}

/** A convolution before the operator and a classifier behind it, so that gradients go through the operator both ways. */
function around(
  build: (builder: GraphBuilder, x: string) => string,
  batchNorm: 'running' | 'batch' = 'running',
): Graph {
  const builder = createGraphBuilder(batchNorm);
  const x = conv2d(builder, 'before', rank4(builder, 2), { channels: 4, kernel: 3, padding: 1 });
  const y = build(builder, x);
  const row = typeOf(builder, y).shape.length === 4 ? flatten(builder, y) : y;
  return finishGraph(builder, [logSoftmax(builder, linear(builder, 'behind', row, 3))]);
}

const differentiable: Record<string, Graph> = {
  'a convolution with stride 2': around((b, x) => conv2d(b, 'c', x, { channels: 3, kernel: 3, stride: 2, padding: 1 })),
  'a convolution in groups': around((b, x) => conv2d(b, 'c', x, { channels: 4, kernel: 3, groups: 2, bias: false })),
  'a depthwise convolution': around((b, x) => conv2d(b, 'c', x, { channels: 8, kernel: 3, padding: 1, groups: 4 })),
  'a dilated convolution': around(
    (b, x) =>
      append(
        b,
        { op: 'conv2d', stride: [1, 1], padding: [1, 0], dilation: [2, 1], groups: 1 },
        [x, parameter(b, 'w', [3, 4, 2, 2])],
        [[2, 3, 7, 5]],
      )[0],
  ),
  'batch norm by running statistics': around((b, x) => batchNorm2d(b, 'n', x)),
  'batch norm by the batch': around((b, x) => batchNorm2d(b, 'n', x), 'batch'),
  'max pooling': around((b, x) => maxPool2d(b, x, { kernel: 3, stride: 2, padding: 1 })),
  'max pooling in ceil mode': around((b, x) => maxPool2d(b, x, { kernel: 3, stride: 2, ceilMode: true })),
  'average pooling': around((b, x) => averagePool2d(b, x, { kernel: 2, stride: 2, padding: 1, ceilMode: true })),
  'global average pooling': around((b, x) => globalAveragePool(b, x)),
  'a dense block': around((b, x) => concat(b, [x, add(b, x, relu(b, x))])),
  dropout: around((b, x) => dropout(b, 'd', globalAveragePool(b, x), 0.5)),
};

const targets = float32Tensor([2, 3], Float32Array.of(0.4, 0.05, 0.05, 0, 0.25, 0.25));

/** -sum(targets * log-probabilities) in float64. */
function lossOf(graph: Graph, values: ReadonlyMap<string, Float64Array>): number {
  const logProbabilities = runDouble(graph, new Map(values)).get(graph.outputs[0] ?? '') ?? new Float64Array();
  return -logProbabilities.reduce((sum, value, index) => sum + value * (targets.data[index] ?? NaN), 0);
}

/** The gradient of the loss by some elements of one tensor, by central differences in float64. */
function differences(graph: Graph, values: Doubles, name: string, elements: readonly number[]): number[] {
  const own = values.get(name) ?? new Float64Array();
  const step = 1e-6;
  return elements.map((index) => {
    const value = own[index] ?? NaN;
    own[index] = value + step;
    const above = lossOf(graph, values);
    own[index] = value - step;
    const below = lossOf(graph, values);
    own[index] = value;
    return (above - below) / (2 * step);
  });
}

for (const [name, graph] of Object.entries(differentiable)) {
  test(`the gradients through ${name} are those of finite differences`, async () => {
    const random = createRandom(seed, name);
    const values = randomValues(graph, random);
    const model = await tensorflowEngine.compileTraining(
      () => graph,
      { state: values, optimizer: new Map(), step: 0 },
      { trainable: new Set(graph.parameters), optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 }, device: 'cpu' },
    );
    const gradients = await model.gradients(new Map([...values, ['targets', targets]]));
    await model.dispose();
    assert.deepEqual([...gradients.keys()], graph.parameters);
    for (const [parameterName, gradient] of gradients) {
      assert.deepEqual(gradient.shape, typeOf(graph, parameterName).shape);
      const chosen = permutation(gradient.data.length, random).slice(0, 30);
      const actual = [...chosen].map((index) => Number(gradient.data[index]));
      assertClose(actual, differences(graph, doubles(values), parameterName, [...chosen]), 1e-3, parameterName);
    }
  });
}

test('a tie in max pooling gives the gradient once, to the first in scan order', async () => {
  const builder = createGraphBuilder();
  const x = input(builder, 'x', [1, 1, 2, 2]);
  const y = maxPool2d(builder, conv2d(builder, 'c', x, { channels: 1, kernel: 1, bias: false }), {
    kernel: 2,
    stride: 2,
  });
  const graph = finishGraph(builder, [logSoftmax(builder, linear(builder, 'l', flatten(builder, y), 2))]);
  const state = new Map([
    ['c.weight', float32Tensor([1, 1, 1, 1])],
    ['l.weight', float32Tensor([2, 1], Float32Array.of(1, 0))],
    ['l.bias', float32Tensor([2])],
  ]);
  const model = await tensorflowEngine.compileTraining(
    () => graph,
    { state, optimizer: new Map(), step: 0 },
    { trainable: new Set(['c.weight']), optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 }, device: 'cpu' },
  );
  const feeds = new Map([
    ['x', float32Tensor([1, 1, 2, 2], Float32Array.of(10, 20, 30, 40))],
    ['targets', float32Tensor([1, 2], Float32Array.of(1, 0))],
  ]);
  const gradients = await model.gradients(feeds);
  await model.dispose();
  // All four products are 0; the loss falls by 1/2 for each unit of the first logit.
  assertClose(Array.from(gradients.get('c.weight')?.data ?? [], Number), [-0.5 * 10], 1e-6, 'c.weight');
});
