import { test } from 'node:test';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { averagePool2d } from '../../../src/ml/operators/pooling/averagePool.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { dropout } from '../../../src/ml/operators/elementwise/dropout.ts';
import { flatten } from '../../../src/ml/operators/movement/reshape.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { maxPool2d } from '../../../src/ml/operators/pooling/maxPool.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { around } from './around.ts';
import { checkGradients } from './checkGradients.ts';
import { assertClose } from './graphValues.ts';
import { seed } from './seed.ts';

const differentiable: Record<string, Graph> = {
  'a convolution with stride 2': around((b, x) => conv2d(b, 'c', x, { channels: 3, kernel: 3, stride: 2, padding: 1 })),
  'a convolution in groups': around((b, x) => conv2d(b, 'c', x, { channels: 4, kernel: 3, groups: 2, bias: false })),
  'a depthwise convolution': around((b, x) => conv2d(b, 'c', x, { channels: 8, kernel: 3, padding: 1, groups: 4 })),
  'a dilated convolution': around((b, x) =>
    conv2d(b, 'c', x, { channels: 3, kernel: 2, padding: [1, 0], dilation: [2, 1], bias: false }),
  ),
  'batch norm by running statistics': around((b, x) => batchNorm2d(b, 'n', x)),
  'batch norm by the batch': around((b, x) => batchNorm2d(b, 'n', x), { batchNorm: 'batch' }),
  'max pooling': around((b, x) => maxPool2d(b, x, { kernel: 3, stride: 2, padding: 1 })),
  'max pooling in ceil mode': around((b, x) => maxPool2d(b, x, { kernel: 3, stride: 2, ceilMode: true })),
  'average pooling': around((b, x) => averagePool2d(b, x, { kernel: 2, stride: 2, padding: 1, ceilMode: true })),
  'global average pooling': around((b, x) => globalAveragePool(b, x)),
  'a dense block': around((b, x) => concat(b, [x, add(b, x, relu(b, x))])),
  dropout: around((b, x) => dropout(b, 'd', globalAveragePool(b, x), 0.5)),
};

for (const [name, graph] of Object.entries(differentiable)) {
  test(`the gradients through ${name} are those of finite differences`, async () => {
    await checkGradients([{ engine: tensorflowEngine }], graph, createRandom(seed, name));
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

test('a batch with one value a channel leaves the running variance a number', async () => {
  const builder = createGraphBuilder('batch');
  const x = input(builder, 'x', [1, 2, 1, 1]);
  const row = flatten(builder, batchNorm2d(builder, 'n', x));
  const graph = finishGraph(builder, [logSoftmax(builder, linear(builder, 'l', row, 2))]);
  const state = new Map([...graph.parameters, ...graph.buffers].map((name) => [name, ones(typeOf(graph, name).shape)]));
  const model = await tensorflowEngine.compileTraining(
    () => graph,
    { state, optimizer: new Map(), step: 0 },
    { trainable: new Set(['l.weight']), optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 }, device: 'cpu' },
  );
  const feeds = new Map([
    ['x', ones([1, 2, 1, 1])],
    ['targets', ones([1, 2])],
  ]);
  await model.step([feeds], 0.1);
  const after = await model.snapshot();
  await model.dispose();
  // A tenth of the batch's variance, which is 0.
  const variance = Array.from(after.state.get('n.running_var')?.data ?? [], Number);
  assertClose(variance, [0.9, 0.9], 1e-6, 'running_var');
});

function ones(shape: readonly number[]) {
  return float32Tensor(shape, new Float32Array(elementCount(shape)).fill(1));
}
