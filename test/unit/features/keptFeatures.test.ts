import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { qualityNumbers } from '../../../src/ml/features/featureModel.ts';
import { readKeptFeatures, writeKeptFeatures } from '../../../src/ml/features/keptFeatures.ts';
import { gridBytes } from '../../../src/ml/features/samePicture.ts';

let outside: string | undefined;
let cache: string;
before(async () => {
  outside = process.env['FIVECROP_CACHE'];
  cache = await mkdtemp(join(tmpdir(), 'fivecrop-features-'));
  process.env['FIVECROP_CACHE'] = cache;
});
after(async () => {
  if (outside === undefined) delete process.env['FIVECROP_CACHE'];
  else process.env['FIVECROP_CACHE'] = outside;
  await rm(cache, { recursive: true, force: true });
});

const rows = (values: readonly number[]) => ({
  width: 2,
  features: Float32Array.from(values.flatMap((value) => [value, -value])),
  quality: Float32Array.from(values.flatMap((value) => Array<number>(qualityNumbers).fill(value))),
  grids: Uint8Array.from(values.flatMap((value) => Array<number>(gridBytes).fill(value))),
  decoded: Uint8Array.from(values, (value) => Number(value > 0)),
});

test('features are found again by their image, those of earlier calls too; what did not decode is not kept', async () => {
  const model = { key: 'a'.repeat(64), width: 2 };
  const empty = await readKeptFeatures(model);
  assert.equal(empty.rowOf(11), undefined);
  assert.equal(await writeKeptFeatures(model, empty, Float64Array.from([11, 12, 13]), rows([1, 0, 3])), undefined);
  const kept = await readKeptFeatures(model);
  assert.equal(kept.rowOf(12), undefined);
  await writeKeptFeatures(model, kept, Float64Array.from([14, 11]), rows([4, 1]));
  const all = await readKeptFeatures(model);
  for (const [digest, value] of [
    [11, 1],
    [13, 3],
    [14, 4],
  ] as const) {
    const row = all.rowOf(digest) ?? -1;
    assert.deepEqual([...all.features.subarray(row * 2, row * 2 + 2)], [value, -value]);
    const quality = all.quality.subarray(row * qualityNumbers, (row + 1) * qualityNumbers);
    assert.deepEqual([...quality], Array<number>(qualityNumbers).fill(value));
    assert.equal(all.grids[(row + 1) * gridBytes - 1], value);
    assert.equal(all.grids[row * gridBytes], value);
  }
});

test('another model, or a file that is damaged or of another width, has nothing', async () => {
  const model = { key: 'b'.repeat(64), width: 2 };
  await writeKeptFeatures(model, await readKeptFeatures(model), Float64Array.from([1]), rows([1]));
  assert.equal((await readKeptFeatures({ ...model, key: 'c'.repeat(64) })).rowOf(1), undefined);
  assert.equal((await readKeptFeatures({ ...model, width: 3 })).rowOf(1), undefined);
  await writeFile(join(cache, 'kept-features', `${model.key}.safetensors`), 'nothing');
  assert.equal((await readKeptFeatures(model)).rowOf(1), undefined);
});
