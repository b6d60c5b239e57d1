import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFeatureStore } from '../../../src/ml/training/features/featureStore.ts';
import { temporaryFolder } from './tinyDataset.ts';

const width = 3;
const rowOf = (view: number, place: number) => Float32Array.of(view, place, view * 1000 + place);

test('features come back as they were kept, from memory and from disk', async (context) => {
  const folder = await temporaryFolder(context);
  const warnings: string[] = [];
  // One block of 1024 rows fits into memory.
  const memoryBytes = 1024 * width * 4;
  const store = createFeatureStore({ places: 700, memoryBytes, folder, onWarning: (text) => warnings.push(text) });
  for (const view of [0, 1, 2]) {
    for (let place = 0; place < 700; place += 2) await store.keep(view, place, place + 1, rowOf(view, place));
    for (let place = 1; place < 700; place += 2) await store.keep(view, place, place, rowOf(view, place));
  }
  const target = new Float32Array(width);
  for (const view of [2, 0, 1]) {
    for (let place = 0; place < 700; place++) {
      assert.ok(store.has(view, place));
      assert.equal(await store.read(view, place, target), place % 2 === 0 ? place + 1 : place);
      assert.deepEqual(target, rowOf(view, place));
    }
  }
  assert.deepEqual([store.has(3, 0), store.has(0, 700)], [false, false]);
  await store.dispose();
  assert.deepEqual(await readdir(folder), [], 'nothing stays on disk');
  assert.deepEqual(warnings, []);
});

test('features that fit nowhere are not kept, which is said once', async (context) => {
  const folder = await temporaryFolder(context);
  const warnings: string[] = [];
  await writeFile(join(folder, 'blocked'), 'a file where the folder should be');
  const options = { places: 5, memoryBytes: 0, folder: join(folder, 'blocked') };
  const store = createFeatureStore({ ...options, onWarning: (text) => warnings.push(text) });
  for (const place of [0, 1, 2]) await store.keep(0, place, place, rowOf(0, place));
  assert.ok(![0, 1, 2].some((place) => store.has(0, place)));
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? '',
    /do not fit into memory are computed again in every epoch, since .*blocked cannot be used \(it is not a folder\)/u,
  );
  await store.dispose();
});
