import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPromise } from 'yauzl';
import type { Tensor } from '../../../src/ml/graph/tensor.ts';
import { chooseAll, readTorchStateDict } from '../../../src/ml/weights/torchStateDict.ts';
import { writeTorchFile } from '../../../src/ml/weights/writeTorchFile.ts';

const state = new Map<string, Tensor>([
  ['conv.weight', { dtype: 'float32', shape: [2, 1, 1, 3], data: Float32Array.of(1, -2, 3, 0.5, 1e-30, 7) }],
  ['é.bias', { dtype: 'float32', shape: [2], data: Float32Array.of(4, 5) }],
  ['norm.num_batches_tracked', { dtype: 'int64', shape: [], data: BigInt64Array.of(-9n) }],
]);

test('what is written as a file of torch is read as it was, in its order, and tensors begin at multiples of 64', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'weights.pth');
  await writeTorchFile(file, state);
  const read = await readTorchStateDict(file, chooseAll);
  assert.deepEqual([...read], [...state]);
  const bytes = await readFile(file);
  for (const { data } of state.values()) {
    const at = bytes.indexOf(Buffer.from(data.buffer));
    assert.equal(at % 64, 0);
  }
  const zip = await openPromise(file, { validateEntrySizes: true });
  const names: string[] = [];
  for await (const entry of zip.eachEntry()) names.push(entry.fileName);
  assert.deepEqual(names, ['data.pkl', 'byteorder', 'data/0', 'data/1', 'data/2', 'version'].map((name) => `archive/${name}`)); // prettier-ignore
  // torch 2.15 loads the file of these bytes with weights_only=True as the tensors above.
  const digest = createHash('sha256').update(bytes).digest('hex');
  assert.equal(digest, 'f7796f20d11e04a4a5cb3139ff55a59606acceeef67f1b00cb83a1c3fe81ec5c');
});
