import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUpdatesInPlace } from '../../../src/ml/engine/onnxruntime/updatesInPlace.ts';
import { adam } from './trainingFixture.ts';

test('more parameters than WebAssembly can address are not updated in place', () => {
  const most = 2 ** 28;
  assert.equal(createUpdatesInPlace(new Map([['weight', most]]), adam), undefined);
  assert.ok(createUpdatesInPlace(new Map([['weight', 1000]]), adam));
});

test('a step that lacks the gradient of a parameter is refused', async () => {
  const updates = createUpdatesInPlace(new Map([['weight', 4]]), adam);
  await assert.rejects(async () => updates?.move(() => undefined, [0.1, 1, 0.1, 0]), /without the gradient/u);
});
