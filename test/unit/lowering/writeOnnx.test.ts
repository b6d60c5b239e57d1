import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { averagePool2d } from '../../../src/ml/operators/pooling/averagePool.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { flatten } from '../../../src/ml/operators/movement/reshape.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { maxPool2d } from '../../../src/ml/operators/pooling/maxPool.ts';
import { normalize } from '../../../src/ml/operators/elementwise/normalize.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import { pruneNodes } from '../../../src/ml/lowering/lowering.ts';
import { encodeOnnx, type OnnxModel, onnxNumber, type OnnxNode } from '../../../src/ml/onnx/onnxModel.ts';
import { onnxOpset, writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type StateDict, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { runDouble } from '../engine/doubleForward.ts';
import { assertClose, doubles, randomValues } from '../engine/graphValues.ts';
import { seed } from '../engine/seed.ts';

/** Every operator that an exported network can hold. */
function network(batchSize: number): Graph {
  const b = createGraphBuilder();
  const pixels = input(b, 'pixels', [batchSize, 3, 8, 8], 'uint8');
  const images = normalize(b, pixels, { scale: [0.01, 0.02, 0.03], shift: [-1, 0, 1], order: [2, 1, 0] });
  const stem = relu(b, batchNorm2d(b, 'norm', conv2d(b, 'stem', images, { channels: 4, kernel: 3, padding: 1 })));
  const pooled = maxPool2d(b, stem, { kernel: 3, stride: 2, padding: 1 });
  const joined = concat(b, [add(b, pooled, pooled), pooled]);
  const map = averagePool2d(b, conv2d(b, 'last', joined, { channels: 5, kernel: 1 }), { kernel: 2, stride: 2 });
  const mean = linear(b, 'mean', globalAveragePool(b, map), 3);
  return finishGraph(b, [logSoftmax(b, add(b, mean, linear(b, 'flat', flatten(b, map), 3)))]);
}

const graph = network(1);
const [output = ''] = graph.outputs;
const values = randomValues(network(5), createRandom(seed, 'writeOnnx'));
const state: StateDict = new Map([...values].filter(([name]) => name !== 'pixels'));

/** The first `count` of five images. */
function pixels(count: number): Tensor {
  const all = values.get('pixels');
  assert.ok(all?.dtype === 'uint8');
  return { dtype: 'uint8', shape: [count, 3, 8, 8], data: all.data.slice(0, count * 3 * 64) };
}

async function run(model: OnnxModel, feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, number[]>> {
  const session = await InferenceSession.create(encodeOnnx(model), { logSeverityLevel: 3 });
  try {
    const inputs = [...feeds].map(([name, { dtype, data, shape }]) => [name, new OrtTensor(dtype, data, shape)]);
    const results = await session.run(Object.fromEntries(inputs) as Record<string, OrtTensor>);
    return new Map(Object.entries(results).map(([name, { data }]) => [name, Array.from(data as Float32Array)]));
  } finally {
    await session.release();
  }
}

function expected(count: number): Float64Array {
  const result = runDouble(network(count), doubles(new Map([...state, ['pixels', pixels(count)]]))).get(output);
  assert.ok(result);
  return result;
}

test('a model with an open batch, written from a graph of one image, computes any number of images', async () => {
  const model = writeOnnx(graph, { constants: state, openBatch: true });
  for (const count of [1, 2, 5]) {
    const results = await run(model, new Map([['pixels', pixels(count)]]));
    assertClose(results.get(output) ?? [], expected(count), 1e-5, `${count} images`);
  }
});

test('a model without an open batch refuses another number of images', async () => {
  const model = writeOnnx(graph, { constants: state });
  await assert.rejects(run(model, new Map([['pixels', pixels(2)]])), /invalid dimensions|Got: 2 Expected: 1/i);
});

test('inputs and outputs take the names given, and metadata comes along', async () => {
  const rename = new Map([
    ['pixels', 'image'],
    [output, 'scores'],
  ]);
  const model = writeOnnx(graph, { constants: state, rename, metadata: { labels: '["rose", "Königskerze"]' } });
  const results = await run(model, new Map([['image', pixels(1)]]));
  assertClose(results.get('scores') ?? [], expected(1), 1e-5, 'scores');
  const { metadataProps, opsetImport } = model;
  assert.deepEqual(
    metadataProps?.map(({ key, value }) => [key, value]),
    [['labels', '["rose", "Königskerze"]']],
  );
  assert.equal(onnxNumber(opsetImport.find(({ domain }) => domain === '')?.version), onnxOpset);
});

test('what is no constant is an input of its whole shape, also where the batch is open', async () => {
  const constants = new Map([...state].filter(([name]) => name !== 'stem.weight'));
  const model = writeOnnx(graph, { constants, openBatch: true });
  const { input: inputs } = model.graph;
  const first = inputs.map(({ name, type }) => {
    const [dimension] = type?.tensorType?.shape?.dim ?? [];
    return [name, dimension?.dimParam ?? onnxNumber(dimension?.dimValue)];
  });
  assert.deepEqual(first, [
    ['pixels', 'N'],
    ['stem.weight', 4],
  ]);
  const weight = state.get('stem.weight');
  assert.ok(weight);
  const results = await run(
    model,
    new Map([
      ['pixels', pixels(2)],
      ['stem.weight', weight],
    ]),
  );
  assertClose(results.get(output) ?? [], expected(2), 1e-5, 'scores');
});

test('further outputs are given, and constants that nothing reads are left out', async () => {
  const [inner = ''] = graph.nodes.find(({ operator }) => operator.name === 'globalAveragePool')?.outputs ?? [];
  const constants = new Map([...state, ['unused', float32Tensor([1000])]]);
  const model = writeOnnx(graph, { constants, outputs: [inner] });
  const results = await run(model, new Map([['pixels', pixels(1)]]));
  assert.deepEqual([...results.keys()], [output, inner]);
  assert.equal(results.get(inner)?.length, elementCount(typeOf(graph, inner).shape));
  assert.ok(!model.graph.initializer?.some(({ name }) => name === 'unused'));
});

test('a constant that is a part of a larger buffer is written as that part', async () => {
  const weight = state.get('mean.weight');
  assert.ok(weight?.dtype === 'float32');
  const wide = new Float32Array(weight.data.length + 10).fill(7);
  wide.set(weight.data, 3);
  const part = float32Tensor(weight.shape, wide.subarray(3, 3 + weight.data.length));
  const results = await run(
    writeOnnx(graph, { constants: new Map([...state, ['mean.weight', part]]) }),
    new Map([['pixels', pixels(1)]]),
  );
  assertClose(results.get(output) ?? [], expected(1), 1e-5, 'scores');
});

test('pruning keeps what the outputs need, in its order', () => {
  const node = (opType: string, from: string[], to: string): OnnxNode => ({ opType, input: from, output: [to] });
  const nodes = [
    node('Relu', ['x'], 'a'),
    node('Neg', ['x'], 'unread'),
    node('Add', ['a', 'a'], 'b'),
    node('Abs', ['unread'], 'alsoUnread'),
    node('Sqrt', ['b'], 'c'),
  ];
  assert.deepEqual(
    pruneNodes(nodes, ['c']).map(({ opType }) => opType),
    ['Relu', 'Add', 'Sqrt'],
  );
  assert.deepEqual(
    pruneNodes(nodes, ['a', 'unread']).map(({ opType }) => opType),
    ['Relu', 'Neg'],
  );
});
