import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameNetwork } from '../../../src/ml/networks/network.ts';
import { networkOf } from '../../../src/ml/networks/registry.ts';

const onnxFile = {
  kind: 'backbone',
  file: '/a/model.onnx',
  sha256: 'ab'.repeat(32),
  featuresOutput: 'tokens',
  pool: 'mean',
  features: 8,
} as const;

test('an ONNX file is the same network wherever it lies, and another with other content or features', () => {
  assert.equal(isSameNetwork(onnxFile, { ...onnxFile, file: 'C:\\b\\other.onnx' }), true);
  assert.equal(isSameNetwork(onnxFile, { ...onnxFile, sha256: 'cd'.repeat(32) }), false);
  assert.equal(isSameNetwork(onnxFile, { ...onnxFile, featuresOutput: 'pooled' }), false);
  assert.equal(isSameNetwork(onnxFile, { ...onnxFile, pool: 'cls' }), false);
});

test('a network by name is the same by its name, and at the same commit of the hub', () => {
  const named = { kind: 'architecture', name: 'resnet18' } as const;
  const hub = { commit: '1'.repeat(40), sha256: 'ab'.repeat(32), bytes: 9 };
  assert.equal(isSameNetwork(named, { ...named }), true);
  assert.equal(isSameNetwork(named, { ...named, name: 'resnet34' }), false);
  assert.equal(isSameNetwork({ ...named, hub }, { ...named, hub: { ...hub, commit: '2'.repeat(40) } }), false);
  assert.equal(isSameNetwork(named, onnxFile), false);
});

test('of an ONNX file only a head can train, of a network by name all', () => {
  assert.deepEqual(networkOf(onnxFile).methods, ['head']);
  assert.deepEqual(networkOf({ kind: 'architecture', name: 'resnet18' }).methods.includes('full'), true);
});
