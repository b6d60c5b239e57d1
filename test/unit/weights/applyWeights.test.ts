import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import { float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { applyWeights } from '../../../src/ml/weights/applyWeights.ts';

const shapes = new Map([
  ['bn1.weight', [2]],
  ['bn1.num_batches_tracked', []],
  ['fc.output.weight', [3, 2]],
]);
const fitting = new Map<string, Tensor>([
  ['fc.weight', float32Tensor([1000, 2])],
  ['bn1.weight', float32Tensor([2], Float32Array.of(1, 2))],
]);

test('what a network needs is taken in its order, its replaced classifier left out, an absent counter zero', () => {
  const applied = applyWeights(shapes, fitting, { ignore: 'fc' });
  assert.deepEqual([...applied.keys()], ['bn1.weight', 'bn1.num_batches_tracked']);
  assert.deepEqual(applied.get('bn1.weight')?.data, Float32Array.of(1, 2));
  assert.deepEqual(applied.get('bn1.num_batches_tracked')?.data, BigInt64Array.of(0n));
});

test('missing, differently shaped and unexpected tensors are named in one sentence', () => {
  const state = new Map<string, Tensor>([
    ['bn1.weight', float32Tensor([5])],
    ['layer9.weight', float32Tensor([1])],
  ]);
  assert.throws(
    () => applyWeights(shapes, state, { source: 'x.pth', network: 'resnet18' }),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /^x\.pth cannot be used for resnet18/);
      assert.match(error.message, /lacks 1 tensors \(fc\.output\.weight\)/);
      assert.match(error.message, /bn1\.weight \(\[5\] instead of \[2\]\)/);
      assert.match(error.message, /layer9\.weight/);
      return true;
    },
  );
});

test('weights of a deeper network of the same kind are refused although every name is there', () => {
  const deeper = new Map([...fitting, ['layer1.2.conv1.weight', float32Tensor([1])] as const]);
  assert.throws(() => applyWeights(shapes, deeper, { ignore: 'fc' }), /layer1\.2\.conv1\.weight/);
});

test('what published weights hold beside the network, such as a second classifier, is left out if the family says so', () => {
  const more = new Map([...fitting, ['AuxLogits.fc.weight', float32Tensor([1])] as const]);
  const applied = applyWeights(shapes, more, { ignore: 'fc', extra: /^AuxLogits\./u });
  assert.deepEqual([...applied.keys()], ['bn1.weight', 'bn1.num_batches_tracked']);
  assert.throws(() => applyWeights(shapes, more, { ignore: 'fc', extra: /^Other\./u }), /AuxLogits/);
});
