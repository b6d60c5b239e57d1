import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readClassScores, readFeatureExtractor } from '../../../src/ml/onnx/foreign/featuresAndScores.ts';
import {
  encodeOnnx,
  float32Value,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../../src/ml/onnx/onnxModel.ts';

const node = (opType: string, input: string[], output: string[], attribute: OnnxAttribute[] = []): OnnxNode => ({
  opType,
  input,
  output,
  attribute,
});
const weights: OnnxTensor = { name: 'w', dims: [3, 2], dataType: 1, floatData: [1, 2, 3, 4, 5, 6] };

function modelOf(nodes: OnnxNode[], more: Partial<OnnxGraph> = {}, functions: { node: OnnxNode[] }[] = []) {
  const graph: OnnxGraph = {
    node: nodes,
    initializer: [weights],
    input: [float32Value('x', ['N', 3, 4, 4])],
    output: [float32Value('scores', ['N', 2])],
    ...more,
  };
  return encodeOnnx({ irVersion: 8, opsetImport: [{ version: 13 }], graph, functions });
}

const toScores = [node('GlobalAveragePool', ['x'], ['map']), node('Flatten', ['map'], ['flat'])];
const sound = [...toScores, node('MatMul', ['flat', 'w'], ['scores'])];

test('a long chain of nodes and a value that is joined with itself 200 times are walked at once', () => {
  const long = 30_000;
  const chain = Array.from({ length: long }, (_, at) => node('Relu', [at === 0 ? 'x' : `r${at - 1}`], [`r${at}`]));
  const last = `r${long - 1}`;
  const joined = Array.from({ length: 200 }, (_, at) => {
    const before = at === 0 ? 'x' : `j${at - 1}`;
    return node('Concat', [before, before], [`j${at}`], [{ name: 'axis', type: 2, i: 1 }]);
  });
  const output = (name: string) => ({ output: [{ name }] });
  assert.equal(readFeatureExtractor(modelOf(chain, output(last)), { output: last }).features, 3);
  assert.throws(
    () => readFeatureExtractor(modelOf(joined, output('j199')), { output: 'j199' }),
    /says that there are .* features/,
  );
});

test('more nodes than any network has are refused', () => {
  const many = Array.from({ length: 100_000 }, (_, at) => node('Relu', ['x'], [`r${at}`]));
  assert.throws(() => readClassScores(modelOf(many)), /has 100000 nodes/);
});

test('a model that goes in a circle is refused', () => {
  const circle = [node('Relu', ['b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['scores'])];
  assert.throws(() => readClassScores(modelOf(circle)), /no class scores/);
  assert.throws(() => readFeatureExtractor(modelOf(circle), { output: 'b' }), /cannot be used as features/);
});

test('two nodes that make the same value are refused', () => {
  assert.throws(() => readClassScores(modelOf([...sound, node('Relu', ['x'], ['flat'])])), /make the value flat/);
});

const external: OnnxTensor = {
  name: 'e',
  dims: [3, 2],
  dataType: 1,
  dataLocation: 1,
  externalData: [{ key: 'location', value: '../../secret' }],
};
/** `If` in `If`, as deep as the format's own reader goes. */
function nested(innermost: OnnxGraph): OnnxNode {
  let graph = innermost;
  for (let depth = 0; depth < 20; depth++) {
    graph = { node: [branching(graph)], input: [], output: [] };
  }
  return branching(graph);
}

function branching(graph: OnnxGraph): OnnxNode {
  return node('If', ['x'], [], [{ name: 'then_branch', type: 5, g: graph }]);
}

const places: readonly (readonly [string, Uint8Array])[] = [
  ['a weight', modelOf(sound, { initializer: [weights, external] })],
  ['a weight that says so by its location alone', modelOf(sound, { initializer: [{ ...external, dataLocation: 0 }] })],
  ['a sparse weight', modelOf(sound, { sparseInitializer: [{ values: external }] })],
  ['a constant', modelOf([...sound, node('Constant', [], ['c'], [{ name: 'value', type: 4, t: external }])])],
  ['a list of tensors', modelOf([...sound, node('Foo', [], ['c'], [{ name: 'v', type: 9, tensors: [external] }])])],
  [
    'a sparse constant',
    modelOf([...sound, node('Constant', [], ['c'], [{ name: 'v', type: 11, sparseTensor: { indices: external } }])]),
  ],
  ['a graph within graphs', modelOf([...sound, nested({ node: [], initializer: [external], input: [], output: [] })])],
  [
    'a function',
    modelOf(sound, {}, [{ node: [node('Constant', [], ['c'], [{ name: 'value', type: 4, t: external }])] }]),
  ],
];
for (const [place, bytes] of places) {
  test(`weights in another file are refused in ${place}`, () => {
    assert.throws(() => readClassScores(bytes), /second file/);
  });
}

test('a name that we use for something of ours may be the model’s already', () => {
  const named = [
    node('GlobalAveragePool', ['x'], ['fivecrop_mean']),
    node('Relu', ['fivecrop_mean'], ['fivecrop2_map']),
    node('Conv', ['fivecrop2_map', 'c'], ['scores']),
  ];
  const c: OnnxTensor = { name: 'c', dims: [2, 3, 1, 1], dataType: 1, floatData: [1, 2, 3, 4, 5, 6] };
  const model = modelOf(named, { initializer: [c], output: [{ name: 'scores' }] });
  assert.equal(readFeatureExtractor(model).output, 'fivecrop3_matrix');
});
