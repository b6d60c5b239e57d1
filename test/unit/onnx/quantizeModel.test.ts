import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { float32Value, type OnnxModel, type OnnxNode, type OnnxTensor } from '../../../src/ml/onnx/onnxModel.ts';
import { planQuantization, type ValueRange, watchRanges } from '../../../src/ml/onnx/int8/quantizationPlan.ts';
import { quantizeModel } from '../../../src/ml/onnx/int8/quantizeModel.ts';
import { quantizeWeights } from '../../../src/ml/onnx/int8/quantizedWeights.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { seed } from '../engine/seed.ts';

const random = createRandom(seed, 'quantizeModel');
const whole = (count: number, from: number, to: number) =>
  Float32Array.from({ length: count }, () => from + Math.floor(random.next() * (to - from + 1)));

function floats(name: string, dims: number[], values: Float32Array): OnnxTensor {
  return { name, dataType: 1, dims, rawData: new Uint8Array(values.buffer) };
}

/** Weights of whole numbers, each row's first 127, so that 8 bits hold them as they are, and its second above 0. */
function wholeWeights(name: string, shape: number[]): OnnxTensor {
  const values = whole(elementCount(shape), -9, 9);
  const row = elementCount(shape) / (shape[0] ?? 1);
  for (let at = 0; at < values.length; at += row) values.set([127, 1 + random.integer(9)], at);
  return floats(name, shape, values);
}

const axis = { name: 'axis', type: 2, i: 1 };
const ints = (name: string, values: number[]) => ({ name, type: 7, ints: values });
const node = (opType: string, input: string[], output: string, attribute: OnnxNode['attribute'] = []): OnnxNode => ({
  opType,
  input,
  output: [output],
  attribute,
});

interface Example {
  readonly nodes: OnnxNode[];
  readonly tensors: OnnxTensor[];
  readonly opset?: number;
  readonly image?: number[];
}

const modelOf = ({ nodes, tensors, opset = 17, image = [2, 4, 6, 5] }: Example): OnnxModel => ({
  irVersion: 8,
  opsetImport: [{ domain: '', version: opset }],
  graph: {
    name: 'example',
    node: nodes,
    initializer: tensors,
    input: [float32Value('x', image)],
    output: [{ name: nodes.at(-1)?.output[0] ?? '', type: { tensorType: { elemType: 1 } } }],
  },
});

async function run(model: OnnxModel, x: Float32Array, image = [2, 4, 6, 5]) {
  const compiled = await onnxEngine.compileOnnx(model, 'cpu');
  const results = await compiled.run(new Map([['x', float32Tensor(image, x)]]));
  await compiled.dispose();
  return results;
}

/** Values of a float32 result. */
const valuesOf = (results: Awaited<ReturnType<typeof run>>, name: string) => [
  ...((results.get(name)?.data ?? []) as Float32Array),
];
const operators = (model: OnnxModel) => model.graph.node.map(({ opType }) => opType);

/** A range whose steps are `step` wide. */
const steps = (step: number, low = 0): ValueRange => ({ low, high: low + 255 * step });

const exact: Record<string, Example & { ranges: Record<string, ValueRange>; expected: string[] }> = {
  'a padded convolution with its bias and ReLU': {
    nodes: [
      node('Conv', ['x', 'w', 'b'], 'c', [ints('pads', [1, 1, 1, 1]), ints('strides', [2, 1])]),
      node('Relu', ['c'], 'y'),
    ],
    tensors: [wholeWeights('w', [3, 4, 3, 3]), floats('b', [3], Float32Array.of(127, 60, 190))],
    ranges: { x: steps(1), y: steps(1) },
    expected: ['QuantizeLinear', 'QLinearConv', 'DequantizeLinear'],
  },
  'a convolution in groups and a clip from 0 on': {
    nodes: [node('Conv', ['x', 'w'], 'c', [{ name: 'group', type: 2, i: 2 }]), node('Clip', ['c', 'low', 'high'], 'y')],
    tensors: [
      wholeWeights('w', [6, 2, 2, 2]),
      floats('low', [], Float32Array.of(0)),
      floats('high', [], Float32Array.of(255)),
    ],
    ranges: { x: steps(1), y: steps(1) },
    expected: ['QuantizeLinear', 'QLinearConv', 'DequantizeLinear'],
  },
  'signed maps, whose zero lies between the bytes': {
    nodes: [node('Conv', ['x', 'w'], 'y', [ints('pads', [1, 1, 1, 1])])],
    tensors: [wholeWeights('w', [3, 4, 3, 3])],
    ranges: { x: steps(1, -100), y: steps(1, -128) },
    expected: ['QuantizeLinear', 'QLinearConv', 'DequantizeLinear'],
  },
  'a sum, joined maps and their largest values': {
    nodes: [
      node('Conv', ['x', 'v'], 'a'),
      node('Conv', ['x', 'w'], 'b'),
      node('Add', ['a', 'b'], 's'),
      node('Concat', ['s', 'b'], 'j', [axis]),
      node('MaxPool', ['j'], 'y', [ints('kernel_shape', [2, 2])]),
    ],
    tensors: [wholeWeights('v', [3, 4, 1, 1]), wholeWeights('w', [3, 4, 1, 1])],
    ranges: {
      x: steps(1),
      a: steps(1, -100),
      b: steps(1, -100),
      s: steps(1, -100),
      j: steps(1, -100),
      y: steps(1, -100),
    },
    expected: ['QuantizeLinear', 'QLinearConv', 'QLinearConv', 'QLinearAdd', 'Concat', 'MaxPool', 'DequantizeLinear'],
  },
  'a sum and a convolution with their ReLUs, joined': {
    nodes: [
      node('Conv', ['x', 'v'], 'a'),
      node('Conv', ['x', 'w'], 'b'),
      node('Relu', ['b'], 'r'),
      node('Add', ['a', 'r'], 's'),
      node('Relu', ['s'], 't'),
      node('Concat', ['r', 't'], 'y', [axis]),
    ],
    tensors: [wholeWeights('v', [3, 4, 1, 1]), wholeWeights('w', [3, 4, 1, 1])],
    ranges: { x: steps(1), a: steps(1, -100), r: steps(1), t: steps(1), y: steps(1) },
    expected: ['QuantizeLinear', 'QLinearConv', 'QLinearConv', 'QLinearAdd', 'Concat', 'DequantizeLinear'],
  },
};

for (const [name, { ranges, expected, ...example }] of Object.entries(exact)) {
  test(`in 8 bits, ${name}: whole numbers come out as in float32`, async () => {
    const model = modelOf(example);
    const quantized = quantizeModel(model, planQuantization(model), new Map(Object.entries(ranges)));
    assert.deepEqual(operators(quantized), expected);
    const low = ranges['x']?.low ?? 0;
    // Images that are 0 mostly where weights are 127 keep most sums within the bytes; those beyond are to be cut off.
    const x = whole(elementCount([2, 4, 6, 5]), Math.max(low, -9), 9).map((value, at) =>
      Math.floor(at / 30) % 2 === 0 && random.next() < 0.8 ? 0 : value,
    );
    const y = model.graph.output[0]?.name ?? '';
    const wanted = valuesOf(await run(withEnds(model, ranges), x), y);
    const found = valuesOf(await run(quantized, x), y);
    assert.ok(new Set(found).size > 10, 'there is something to compare');
    assert.deepEqual(found, wanted);
  });
}

/** The model in float32, its maps cut off where bytes end. */
function withEnds(model: OnnxModel, ranges: Record<string, ValueRange>): OnnxModel {
  const tensors = Object.entries(ranges).flatMap(([name, { low, high }]) => [
    floats(`${name} low`, [], Float32Array.of(low)),
    floats(`${name} high`, [], Float32Array.of(high)),
  ]);
  const nodes = model.graph.node.flatMap((each) => {
    const [output = ''] = each.output;
    if (!(output in ranges)) return [each];
    const whole = `${output} whole`;
    return [{ ...each, output: [whole] }, node('Clip', [whole, `${output} low`, `${output} high`], output)];
  });
  return {
    ...model,
    graph: { ...model.graph, node: nodes, initializer: [...(model.graph.initializer ?? []), ...tensors] },
  };
}

test('a norm of its own becomes a convolution of each channel', async () => {
  const model = modelOf({
    nodes: [
      node('BatchNormalization', ['x', 'g', 'b', 'm', 'v'], 'n', [{ name: 'epsilon', type: 1, f: 0 }]),
      node('Relu', ['n'], 'y'),
    ],
    tensors: [
      floats('g', [4], Float32Array.of(1, 2, -1, 3)),
      floats('b', [4], Float32Array.of(0, 5, 90, -7)),
      floats('m', [4], Float32Array.of(0, 3, 1, 2)),
      floats('v', [4], Float32Array.of(1, 4, 1, 9)),
    ],
  });
  const ranges = new Map([['x', steps(1)], ['y', steps(1)]]); // prettier-ignore
  const quantized = quantizeModel(model, planQuantization(model), ranges);
  assert.deepEqual(operators(quantized), ['QuantizeLinear', 'QLinearConv', 'DequantizeLinear']);
  const x = whole(240, 0, 255);
  const wanted = valuesOf(await run(model, x), 'y').map((value) => Math.min(255, value));
  assert.deepEqual(valuesOf(await run(quantized, x), 'y'), wanted);
});

test('what is left in float32: older files, means and what comes of them, weights that are not float32', () => {
  const convolution = node('Conv', ['x', 'w'], 'y');
  const tensors = [wholeWeights('w', [3, 4, 1, 1])];
  const stepsOf = (example: Example) =>
    [...planQuantization(modelOf(example)).steps.keys()].map(({ opType }) => opType);
  assert.deepEqual(stepsOf({ nodes: [convolution], tensors }), ['Conv']);
  assert.deepEqual(stepsOf({ nodes: [convolution], tensors, opset: 11 }), []);
  assert.deepEqual(stepsOf({ nodes: [convolution], tensors: [{ name: 'w', dims: [3, 4, 1, 1], dataType: 10 }] }), []);
  const mixed = [
    convolution,
    node('Relu', ['y'], 'r'),
    node('Conv', ['x', 'w'], 'z'),
    node('Concat', ['r', 'z'], 'j', [axis]),
  ];
  assert.deepEqual(stepsOf({ nodes: mixed, tensors }), ['Conv', 'Conv'], 'a ReLU’s 0 is not the other map’s least');
  const mean = node('GlobalAveragePool', ['x'], 'm');
  assert.deepEqual(stepsOf({ nodes: [mean, node('Conv', ['m', 'w'], 'y')], tensors }), []);
});

test('the ranges of all maps that are held in 8 bits are watched, beside the outputs', async () => {
  const { nodes, tensors } = exact['a sum, joined maps and their largest values'] ?? { nodes: [], tensors: [] };
  const model = modelOf({ nodes, tensors });
  const watched = watchRanges(model, planQuantization(model));
  assert.deepEqual([...watched.ends.keys()].sort(), ['a', 'b', 'j', 's', 'x', 'y']);
  const x = whole(240, -9, 9);
  const results = await run(watched.model, x);
  const ends = watched.ends.get('x');
  assert.deepEqual([results.get(ends?.low ?? '')?.data[0], results.get(ends?.high ?? '')?.data[0]], [Math.min(...x), Math.max(...x)]); // prettier-ignore
  const y = watched.ends.get('y');
  assert.equal(results.get(y?.high ?? '')?.data[0], Math.max(...valuesOf(results, 'y')));
});

test('weights are rounded to their row’s scale, up to the largest that is allowed', () => {
  const values = Float32Array.of(1, -0.4, 0.25, 8, 5, -2);
  const weights = { shape: [2, 3, 1, 1], values, bias: Float32Array.of(0.5, -1) };
  const { values: rounded, scales, bias } = quantizeWeights(weights, 0.25, 127);
  assert.deepEqual([...rounded], [127, -51, 32, 127, 79, -32]);
  assert.deepEqual([...scales], [Math.fround(1 / 127), Math.fround(8 / 127)]);
  assert.deepEqual([...bias], [254, -64]);
  assert.deepEqual([...quantizeWeights(weights, 0.25, 63).values], [63, -25, 16, 63, 39, -16]);
});

test('a bias that is large beside its weights stays within 32 bits', () => {
  const weights = { shape: [2, 1, 1, 1], values: Float32Array.of(1e-20, 0), bias: Float32Array.of(3, -2) };
  const { scales, bias } = quantizeWeights(weights, 0.1, 127);
  for (const [row, wanted] of [3, -2].entries()) {
    const real = (bias[row] ?? 0) * (scales[row] ?? 0) * 0.1;
    assert.ok(Math.abs(real - wanted) < 1e-6, `${real}`);
  }
  const nothing = quantizeWeights(
    { shape: [1, 1, 1, 1], values: new Float32Array(1), bias: new Float32Array(1) },
    0.1,
    127,
  );
  assert.deepEqual([nothing.values[0], nothing.scales[0], nothing.bias[0]], [0, 1, 0]);
});
