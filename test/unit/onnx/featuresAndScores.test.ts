import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readClassScores, readFeatureExtractor } from '../../../src/ml/onnx/foreign/featuresAndScores.ts';
import type {
  OnnxAttribute,
  OnnxDimension,
  OnnxNode,
  OnnxTensor,
  OnnxValueInfo,
} from '../../../src/ml/onnx/onnxModel.ts';
import { encodeOnnx } from '../../../src/ml/onnx/onnxModel.ts';
import type { TruncatedModel } from '../../../src/ml/onnx/foreign/truncateModel.ts';

/*
 * Foreign models in small: images of 4x4 whose features are the means of the three colours, or of a convolution that
 * doubles each colour, and a classifier with five classes.
 */

const float = (name: string, dims: number[], value: (index: number) => number): OnnxTensor => {
  const floatData = Array.from({ length: dims.reduce((product, size) => product * size, 1) }, (_, i) => value(i));
  return { name, dims, dataType: 1, floatData };
};
const integers = (name: string, int64Data: number[]): OnnxTensor => ({
  name,
  dims: [int64Data.length],
  dataType: 7,
  int64Data,
});
const node = (opType: string, input: string[], output: string, ...attribute: OnnxAttribute[]): OnnxNode => ({
  opType,
  input,
  output: [output],
  attribute,
});
const whole = (name: string, i: number): OnnxAttribute => ({ name, type: 2, i });
const list = (name: string, ...ints: number[]): OnnxAttribute => ({ name, type: 7, ints });
const dimensions = (shape: (number | string)[]): OnnxDimension[] =>
  shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
const info = (name: string, shape: (number | string)[], elemType = 1) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dimensions(shape) } } },
});

interface Parts {
  node: OnnxNode[];
  initializer?: OnnxTensor[];
  input?: OnnxValueInfo[];
  output: OnnxValueInfo[];
  irVersion?: number;
}

function modelOf({ node: nodes, initializer = [], input, output, irVersion = 8 }: Parts): Uint8Array {
  const images = input ?? [info('x', ['N', 3, 4, 4])];
  const graph = { name: 'test', node: nodes, initializer, input: images, output };
  return encodeOnnx({ irVersion, opsetImport: [{ domain: '', version: 13 }], graph });
}

/** Two images: colour `c` of image `n` is `10 n + c` at the left half and two more at the right, so its mean is one more. */
const images = Float32Array.from({ length: 2 * 3 * 16 }, (_, i) => {
  const [n, c, column] = [Math.floor(i / 48), Math.floor(i / 16) % 3, i % 4];
  return 10 * n + c + (column < 2 ? 0 : 2);
});
const means = [1, 2, 3, 11, 12, 13];

async function run({ model, input, output }: TruncatedModel): Promise<{ dims: readonly number[]; data: number[] }> {
  const session = await InferenceSession.create(encodeOnnx(model), { logSeverityLevel: 3 });
  assert.deepEqual([session.inputNames, session.outputNames], [[input], [output]]);
  const result = (await session.run({ [input]: new Tensor('float32', images, [2, 3, 4, 4]) }))[output];
  await session.release();
  return { dims: result?.dims ?? [], data: Array.from(result?.data as Float32Array) };
}

const gemmWeights = [float('w', [5, 3], (i) => (i % 4) - 1), float('b', [5], (i) => i)];
const scoresOf = (features: readonly number[]) =>
  Array.from({ length: (features.length / 3) * 5 }, (_, i) => {
    const [row, k] = [Math.floor(i / 5), i % 5];
    return [0, 1, 2].reduce((sum, c) => sum + (features[3 * row + c] ?? 0) * (((3 * k + c) % 4) - 1), k);
  });

/** Exported at batch 1, as many files of the model zoo are. */
const gemmAtBatchOne = () =>
  modelOf({
    node: [
      node('GlobalAveragePool', ['x'], 'pooled'),
      node('Reshape', ['pooled', 'shape'], 'flat'),
      node('Gemm', ['flat', 'w', 'b'], 'logits', whole('transB', 1)),
    ],
    initializer: [...gemmWeights, integers('shape', [1, 3]), float('unused', [7], () => 0)],
    input: [info('x', [1, 3, 4, 4])],
    output: [info('logits', [1, 5])],
  });

test('the features are what the last Gemm reads, at any batch size though the file was exported at 1', async () => {
  const found = readFeatureExtractor(gemmAtBatchOne());
  assert.deepEqual([found.featuresOutput, found.features, found.imageSize], ['flat', 3, 4]);
  assert.deepEqual(await run(found), { dims: [2, 3], data: means });
});

test('weights and nodes that the features do not need are dropped', () => {
  const { graph } = readFeatureExtractor(gemmAtBatchOne()).model;
  assert.deepEqual(
    graph.node.map(({ opType }) => opType),
    ['GlobalAveragePool', 'Reshape'],
  );
  assert.ok(!graph.initializer?.some(({ name }) => /^(w|b|unused)$/.test(name ?? '')));
});

test('scores without a softmax are no probabilities', async () => {
  const scores = readClassScores(gemmAtBatchOne());
  assert.deepEqual([scores.classes, scores.background, scores.probabilities], [5, false, false]);
  assert.deepEqual(await run(scores), { dims: [2, 5], data: scoresOf(means) });
});

test('a 1x1 Conv, ReLU, pool and softmax are seen through, and the map before them is averaged', async () => {
  const file = modelOf({
    node: [
      node('Conv', ['x', 'double'], 'map', list('pads', 1, 1, 1, 1)),
      node('Dropout', ['map'], 'dropped'),
      node('Conv', ['dropped', 'w', 'b'], 'scored'),
      node('Relu', ['scored'], 'positive'),
      node('GlobalAveragePool', ['positive'], 'pooled'),
      node('Softmax', ['pooled'], 'prob', whole('axis', 1)),
    ],
    initializer: [
      // The centre tap alone, 2 for the colour itself.
      float('double', [3, 3, 3, 3], (i) => (i % 9 === 4 && Math.floor(i / 27) === Math.floor(i / 9) % 3 ? 2 : 0)),
      float('w', [5, 3, 1, 1], (i) => (i % 4) - 1),
      float('b', [5], (i) => i),
    ],
    output: [info('prob', ['N', 5, 1, 1])],
  });
  const found = readFeatureExtractor(file);
  assert.deepEqual([found.featuresOutput, found.features], ['dropped', 3]);
  assert.deepEqual(await run(found), { dims: [2, 3], data: means.map((mean) => 2 * mean) });
  const again = readFeatureExtractor(file, { output: found.featuresOutput });
  assert.deepEqual(again.model, found.model);
  const scores = readClassScores(file);
  const { dims, data } = await run(scores);
  assert.deepEqual([dims, scores.probabilities], [[2, 5], true]);
  assert.ok(Math.abs(data.slice(0, 5).reduce((sum, value) => sum + value, 0) - 1) < 1e-6);
});

test('an output named features wins, and its number of features is found though no shape is declared', async () => {
  const file = modelOf({
    node: [
      node('Concat', ['x', 'x'], 'joined', whole('axis', 1)),
      node('Relu', ['joined'], 'features'),
      node('GlobalAveragePool', ['x'], 'pooled'),
      node('Flatten', ['pooled'], 'flat'),
      node('Gemm', ['flat', 'w', 'b'], 'logits', whole('transB', 1)),
    ],
    initializer: gemmWeights,
    output: [info('logits', ['N', 5]), { name: 'features', type: { tensorType: { elemType: 1 } } }],
  });
  const found = readFeatureExtractor(file);
  assert.deepEqual([found.featuresOutput, found.features], ['features', 6]);
  assert.deepEqual(await run(found), { dims: [2, 6], data: [1, 2, 3, 1, 2, 3, 11, 12, 13, 11, 12, 13] });
});

test('an image input with channels last is fed with channels first', async () => {
  const found = readFeatureExtractor(
    modelOf({
      node: [
        node('Transpose', ['x'], 'first', list('perm', 0, 3, 1, 2)),
        node('GlobalAveragePool', ['first'], 'pooled'),
        node('Flatten', ['pooled'], 'flat'),
        node('MatMul', ['flat', 'w'], 'product'),
        node('Add', ['product', 'b'], 'biased'),
        node('Softmax', ['biased'], 'prob', whole('axis', 1)),
      ],
      initializer: [float('w', [3, 5], (i) => i), float('b', [5], (i) => i)],
      input: [info('x', ['N', 4, 4, 3])],
      output: [info('prob', ['N', 5])],
    }),
  );
  assert.deepEqual([found.featuresOutput, found.features, found.imageSize], ['flat', 3, 4]);
  assert.deepEqual(await run(found), { dims: [2, 3], data: means });
});

test('a float16 model is fed and read in float32', async () => {
  const found = readFeatureExtractor(
    modelOf({
      node: [node('GlobalAveragePool', ['x'], 'pooled'), node('Relu', ['pooled'], 'features')],
      input: [info('x', ['N', 3, 'H', 'W'], 10)],
      output: [info('features', ['N', 3, 1, 1], 10)],
    }),
  );
  assert.equal(found.imageSize, undefined);
  assert.deepEqual(await run(found), { dims: [2, 3], data: means });
});

test('weights that are listed as inputs too, as old files have them, are no inputs', async () => {
  const file = modelOf({
    node: [
      node('GlobalAveragePool', ['x'], 'pooled'),
      node('Flatten', ['pooled'], 'flat'),
      node('Mul', ['flat', 'factor'], 'scaled'),
      node('Gemm', ['scaled', 'w', 'b'], 'logits', whole('transB', 1)),
    ],
    initializer: [...gemmWeights, float('factor', [1, 3], () => 3)],
    input: [info('factor', [1, 3]), info('w', [5, 3]), info('x', ['N', 3, 4, 4]), info('b', [5])],
    output: [info('logits', ['N', 5])],
    irVersion: 3,
  });
  const found = readFeatureExtractor(file);
  assert.deepEqual(await run(found), { dims: [2, 3], data: means.map((mean) => 3 * mean) });
});

test('1001 classes are ImageNet’s with a background class before them', () => {
  const classes = (count: number) =>
    modelOf({
      node: [
        node('GlobalAveragePool', ['x'], 'pooled'),
        node('Flatten', ['pooled'], 'flat'),
        node('MatMul', ['flat', 'w'], 'logits'),
      ],
      initializer: [float('w', [3, count], (i) => i)],
      output: [info('logits', ['N', count])],
    });
  assert.equal(readClassScores(classes(1001)).background, true);
  assert.equal(readClassScores(classes(1000)).background, false);
});

test('what cannot be used is refused with a sentence that says why', () => {
  const refused = (read: () => unknown, message: RegExp) => assert.throws(read, { name: 'RangeError', message });
  const pool = node('GlobalAveragePool', ['x'], 'features');
  const output = [info('features', ['N', 3, 1, 1])];
  refused(() => readFeatureExtractor(Buffer.from('no model at all')), /not an ONNX model/);
  refused(() => readFeatureExtractor(new Uint8Array()), /not an ONNX model/);
  refused(
    () => readFeatureExtractor(gemmAtBatchOne(), { output: 'nowhere' }),
    /no value named nowhere; its outputs are: logits/,
  );
  refused(() => readClassScores(modelOf({ node: [pool], output })), /no class scores/);
  const residual = [node('Add', ['x', 'x'], 'sum')];
  refused(
    () => readFeatureExtractor(modelOf({ node: residual, output: [info('sum', ['N', 3, 4, 4])] })),
    /name the value/,
  );
  const flat = [node('Relu', ['x'], 'map'), node('Flatten', ['map'], 'flat'), node('Relu', ['flat'], 'y')];
  const unnamed = modelOf({ node: flat, output: [{ name: 'y', type: { tensorType: { elemType: 1 } } }] });
  refused(() => readFeatureExtractor(unnamed, { output: 'y' }), /the value y .* cannot be used as features/);
  for (const shape of [
    ['N', 1, 4, 4],
    ['N', 3, 4, 5],
    ['N', 48],
  ]) {
    refused(() => readFeatureExtractor(modelOf({ node: [pool], input: [info('x', shape)], output })), /square color/);
  }
  const bytes = modelOf({ node: [pool], input: [info('x', ['N', 3, 4, 4], 2)], output });
  refused(() => readFeatureExtractor(bytes), /float32 or float16/);
  const two = [node('Add', ['x', 'y'], 'sum'), node('GlobalAveragePool', ['sum'], 'features')];
  const input = [info('x', ['N', 3, 4, 4]), info('y', ['N', 3, 4, 4])];
  refused(() => readFeatureExtractor(modelOf({ node: two, input, output })), /one input, .* x, y/);
  const sigmoid = [
    node('GlobalAveragePool', ['x'], 'pooled'),
    node('Conv', ['pooled', 'w'], 'scored'),
    node('Sigmoid', ['scored'], 'p'),
  ];
  const initializer = [float('w', [5, 3, 1, 1], (i) => i)];
  refused(
    () => readClassScores(modelOf({ node: sigmoid, initializer, output: [info('p', ['N', 5, 1, 1])] })),
    /sigmoid/,
  );
  const external = { name: 'w', dims: [3], dataType: 1, dataLocation: 1 };
  const scaled = [node('Mul', ['x', 'w'], 'y'), node('GlobalAveragePool', ['y'], 'features')];
  refused(() => readFeatureExtractor(modelOf({ node: scaled, initializer: [external], output })), /second file/);
});
