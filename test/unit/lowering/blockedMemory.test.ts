import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { type OnnxNode } from '../../../src/ml/onnx/onnxModel.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { fullStep } from '../../../src/ml/passes/trainingStep.ts';
import { around } from '../engine/around.ts';
import { blocksFor } from '../engine/blockedFormsEngine.ts';

const channels = 16;
const growth = { channels, kernel: 1 };
const forward = around(
  (b, x) => {
    const first = concat(b, [x, conv2d(b, 'one', relu(b, batchNorm2d(b, 'norm1', x)), growth)]);
    const second = concat(b, [first, conv2d(b, 'two', relu(b, batchNorm2d(b, 'norm2', first)), growth)]);
    return relu(b, batchNorm2d(b, 'norm3', second));
  },
  { batchNorm: 'batch', shape: [2, channels, 4, 4] },
);
const optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const graph = fullStep(forward, { trainable: new Set(forward.parameters), optimizer });
const assign = blocksFor();
const model = writeOnnx(graph, {
  constants: new Map(),
  outputs: [...graph.updates.values()],
  block: channels,
  assign,
  blockedKernels: assign(graph, channels).kernels,
});
const { node: nodes, initializer = [], valueInfo = [] } = model.graph;

function isBackward({ name = '' }: OnnxNode): boolean {
  return name.includes(':backward:');
}

/** All values that a value is computed from. */
function ancestors(value: string): Set<string> {
  const found = new Set<string>();
  const pending = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const current = next;
    const producer = nodes.find(({ output }) => output.includes(current));
    for (const input of producer?.input ?? []) {
      if (!found.has(input)) pending.push(input);
      found.add(input);
    }
  }
  return found;
}

test('of the joins of a dense block only the last is kept for the backward pass', () => {
  const joins = graph.nodes.filter(({ operator }) => operator.name === 'concat').map(({ outputs }) => outputs[0] ?? '');
  const readBackward = joins.map((join) => nodes.some((node) => isBackward(node) && node.input.includes(join)));
  assert.deepEqual(readBackward, [false, true]);
});

test('what a batch norm and a ReLU make is computed again when the backward pass gets there, not kept', () => {
  const made = graph.nodes.filter(({ operator }) => operator.name === 'batchNormTraining' || operator.name === 'relu');
  const forward = new Set(made.map(({ outputs }) => outputs[0] ?? ''));
  assert.equal(forward.size, 6);
  const readers = nodes.filter((node) => isBackward(node) && node.input.some((value) => forward.has(value)));
  assert.deepEqual(readers, []);
  const gradients = graph.nodes.filter(
    ({ operator }) => operator.name === 'conv2dWeightGradient' || operator.name === 'reluGradient',
  );
  const behindNorm = gradients.filter(({ inputs }) => inputs.some((value) => forward.has(value)));
  assert.equal(behindNorm.length, 5);
  const activated = nodes.filter(
    (node) => isBackward(node) && node.attribute?.some(({ name }) => name === 'activation'),
  );
  assert.equal(activated.length, behindNorm.length);
  for (const node of behindNorm) {
    const dy = node.inputs[node.operator.name === 'reluGradient' ? 0 : 1] ?? '';
    const again = activated.filter(({ output }) => ancestors(node.outputs[0] ?? '').has(output[0] ?? ''));
    assert.ok(again.some(({ output }) => ancestors(output[0] ?? '').has(dy)));
  }
});

test('no update begins before the gradients of all parameters are there', () => {
  const updates = graph.nodes.filter(({ operator }) => operator.name === 'adamUpdate');
  assert.ok(updates.length > 8);
  const gradients = updates.map(({ inputs }) => inputs[1] ?? '');
  for (const { outputs } of updates) {
    const needed = ancestors(outputs[0] ?? '');
    assert.deepEqual(
      gradients.filter((gradient) => !needed.has(gradient)),
      [],
    );
  }
});

test('a step in blocks leaves the shapes of what it is fed unsaid', () => {
  const inputs = model.graph.input.filter(({ name }) => graph.inputs.includes(name));
  assert.ok(inputs.length > 1);
  for (const { type } of inputs) assert.ok(!type?.tensorType?.shape);
});

test('a step in blocks gives no value a shape before it runs, and no rank', () => {
  const constants = new Set(initializer.map(({ name }) => name));
  const shaped = nodes.filter(({ opType }) => opType === 'Reshape' || opType === 'Expand');
  assert.ok(shaped.length > 10);
  assert.deepEqual(
    shaped.filter(({ input }) => constants.has(input[1] ?? '')),
    [],
  );
  const ranks = new Set(nodes.filter(({ opType }) => opType === 'Shape').flatMap(({ output }) => output));
  assert.equal(ranks.size, 1);
  for (const { input } of shaped) assert.ok([...ancestors(input[1] ?? '')].some((value) => ranks.has(value)));
});

test('a convolution adds to an image in place, and a mask becomes what it masks', () => {
  const sizes = new Map(valueInfo.map(({ name, type }) => [name, JSON.stringify(type?.tensorType?.shape?.dim)]));
  const added = nodes.flatMap(({ opType, input, output }) =>
    opType === 'Conv' && input[3] ? [[input[3], output[0]]] : [],
  );
  const masked = graph.nodes
    .filter(({ operator }) => operator.name === 'reluGradient')
    .map(({ outputs: [dx] }) => [nodes.find(({ output }) => output[0] === dx)?.input[1], dx]);
  assert.ok(added.length > 2 && masked.length > 2);
  const pairs = [...added, ...masked];
  for (const [image = '', result = ''] of pairs) {
    assert.ok(sizes.has(image));
    assert.equal(sizes.get(result), sizes.get(image));
  }
  const results = new Set(pairs.map(([, result]) => result));
  const first = pairs.filter(([image]) => !results.has(image)).map(([image = '']) => sizes.get(image));
  assert.equal(new Set(first).size, first.length, 'images of different sizes have different names for them');
});

test('gradients that meet are added by the convolutions that make them', () => {
  const sums = graph.nodes.filter(({ operator }) => operator.name === 'add').map(({ outputs }) => outputs[0] ?? '');
  assert.ok(sums.length > 1);
  const makers = sums.map((sum) => nodes.find(({ output }) => output[0] === sum)?.opType);
  assert.deepEqual(new Set(makers), new Set(['Conv']));
});
