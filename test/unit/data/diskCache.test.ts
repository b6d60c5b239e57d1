import assert from 'node:assert/strict';
import { readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheEntry, pruneDiskCache, readCacheEntry, writeCacheEntry } from '../../../src/ml/data/diskCache.ts';
import { temporaryFolder, writeFiles } from './temporaryImages.ts';

const image = {
  width: 3,
  height: 2,
  source: { width: 30, height: 20 },
  data: Uint8Array.from({ length: 18 }, (_, i) => i),
};

test('an entry is read as it was written, and half an entry is none', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, ['a.png'], 'content');
  const path = cacheEntry(root, join(root, 'a.png'), 255);
  assert.equal(readCacheEntry(path), undefined);
  await writeCacheEntry(path, image);
  const read = readCacheEntry(path);
  assert.deepEqual(read && { ...read, data: Uint8Array.from(read.data) }, image);
  await truncate(path, 20);
  assert.equal(readCacheEntry(path), undefined);
});

test('a file that changes gets another entry', async (t) => {
  const root = await temporaryFolder(t);
  const file = join(root, 'a.png');
  await writeFile(file, 'content');
  const before = cacheEntry(root, file, 255);
  assert.equal(cacheEntry(root, file, 255), before);
  assert.notEqual(cacheEntry(root, file, 256), before);
  await writeFile(file, 'other content');
  assert.notEqual(cacheEntry(root, file, 255), before);
});

test('pruning removes the oldest entries and no other files', async (t) => {
  const root = await temporaryFolder(t);
  const paths: string[] = [];
  for (let index = 0; index < 4; index++) {
    await writeFiles(root, [`${index}.png`], 'x'.repeat(index + 1));
    const path = cacheEntry(root, join(root, `${index}.png`), 255);
    await writeCacheEntry(path, image);
    await utimes(path, index, index);
    paths.push(path);
  }
  assert.equal(await pruneDiskCache(root, 2 * 34), 2 * 34);
  const kept = paths.map(readCacheEntry);
  assert.deepEqual(
    kept.map((entry) => entry !== undefined),
    [false, false, true, true],
  );
  assert.equal((await readdir(root)).filter((name) => name.endsWith('.png')).length, 4);
});
