import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import sharp from 'sharp';
import { createDecodePool } from '../../../src/ml/data/decodePool.ts';
import { createImageSource } from '../../../src/ml/data/imageSource.ts';
import type { ImageSourceOptions } from '../../../src/ml/data/imageSource.ts';
import { createLoader } from '../../../src/ml/data/loader.ts';
import type { Loader, LoaderOptions } from '../../../src/ml/data/loader.ts';
import type { Sample } from '../../../src/ml/data/scanDataset.ts';
import { noiseImage, temporaryFolder, writeFiles, writeNoiseImages } from '../../unit/data/temporaryImages.ts';

const defaults: LoaderOptions = {
  batchSize: 4,
  resize: 40,
  crop: 32,
  augment: 'report',
  seed: 7,
  shuffle: true,
  replaceUndecodable: true,
};

async function samplesOf(t: TestContext, count: number, bad: readonly number[] = []) {
  const root = await temporaryFolder(t);
  const files = await writeNoiseImages(root, count);
  for (const index of bad) await writeFiles(root, [files[index] ?? ''], 'no image');
  const samples = files.map((file, index): Sample => ({ file: join(root, file), classIndex: index % 2 }));
  return { root, samples };
}

// Starting threads from TypeScript sources takes a second, so the tests share them.
const pool = createDecodePool(2);
const singleThread = createDecodePool(1);
after(() => Promise.all([pool.dispose(), singleThread.dispose()]));

const refuse = (warning: string) => {
  throw new Error(warning);
};

function sourceFor(t: TestContext, root: string, options: Partial<ImageSourceOptions> = {}) {
  const source = createImageSource({ cacheBytes: 1e8, pool, cacheFolder: join(root, 'cache'), ...options });
  t.after(() => source.dispose());
  return source;
}

/** What an epoch gave: per batch its position, labels, samples and a hash of its pixels. */
async function record(loader: Loader, epoch: number, fromBatch = 0): Promise<string[]> {
  const batches: string[] = [];
  for await (const { index, images, labels, indices } of loader.epoch(epoch, fromBatch)) {
    assert.deepEqual(images.shape, [indices.length, 3, 32, 32]);
    const hash = createHash('sha256').update(images.data).digest('hex');
    batches.push([index, labels.join(' '), indices.join(' '), hash].join(' | '));
  }
  return batches;
}

test('an epoch gives every image once with its class, in another order each epoch', async (t) => {
  const { root, samples } = await samplesOf(t, 5);
  const loader = createLoader(samples, sourceFor(t, root), defaults);
  assert.equal(loader.batches, 3);
  const orders: string[] = [];
  for (const epoch of [0, 1]) {
    const seen: number[] = [];
    for await (const { labels, indices } of loader.epoch(epoch)) {
      seen.push(...indices);
      assert.deepEqual(
        [...labels],
        [...indices].map((index) => index % 2),
      );
    }
    orders.push(seen.join(' '));
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      [...samples.keys()],
    );
  }
  assert.notEqual(orders[0], orders[1]);
});

for (const augment of ['report', 'crop', 'none'] as const) {
  test(`the same seed gives the same batches with ${augment}, whatever threads, caches and start`, async (t) => {
    const { root, samples } = await samplesOf(t, 9);
    const options = { ...defaults, augment };
    const first = createLoader(samples, sourceFor(t, root), options);
    await record(first, 0);
    const whole = await record(first, 1);
    assert.equal(whole.length, 5);
    const single = sourceFor(t, root, { pool: singleThread, cacheBytes: 0 });
    const resumed = createLoader(samples, single, { ...options, prefetch: 1 });
    assert.deepEqual(await record(resumed, 1, 2), whole.slice(2));
    const other = createLoader(samples, sourceFor(t, root), { ...options, seed: 8 });
    assert.notDeepEqual(await record(other, 1), whole);
  });
}

test('balanced sampling shows every class equally often, and an image that comes up again in other views', async (t) => {
  const { root, samples } = await samplesOf(t, 12);
  const uneven = samples.slice(0, 12).map((sample, index) => ({ ...sample, classIndex: index < 2 ? 1 : 0 }));
  const source = sourceFor(t, root);
  const loader = createLoader(uneven, source, { ...defaults, sampling: 'balanced' });
  const epoch = await record(loader, 3);
  assert.deepEqual(await record(loader, 3), epoch);
  assert.deepEqual(await record(loader, 3, 2), epoch.slice(2));
  const seen = new Map<number, string[]>();
  for await (const { images, labels, indices } of loader.epoch(3)) {
    assert.deepEqual(
      [...labels],
      Array.from(indices, (index) => uneven[index]?.classIndex),
    );
    indices.forEach((index, row) => {
      const hash = createHash('sha256')
        .update(images.data.subarray(row * 3072, (row + 1) * 3072))
        .digest('hex');
      seen.set(index, [...(seen.get(index) ?? []), hash]);
    });
  }
  assert.deepEqual([seen.get(0)?.length, seen.get(1)?.length], [3, 3]);
  assert.equal(seen.size, 2 + 6);
  for (const hashes of seen.values()) assert.equal(new Set(hashes).size, hashes.length);
});

test('balanced sampling of kept views makes each of an image once', async (t) => {
  const { root, samples } = await samplesOf(t, 8);
  const uneven = samples.slice(0, 8).map((sample, index) => ({ ...sample, classIndex: index < 1 ? 1 : 0 }));
  const loader = createLoader(uneven, sourceFor(t, root), {
    ...defaults,
    sampling: 'balanced',
    views: 1,
    batchSize: 8,
  });
  for await (const { indices, wanted } of loader.epoch(0)) {
    assert.equal(wanted.filter((place) => place === 0).length, 4);
    assert.deepEqual([...indices].sort(), [...new Set(wanted)].sort());
  }
});

test('a batch keeps its pixels until the second one after it is asked for, whose memory then is used again', async (t) => {
  const { root, samples } = await samplesOf(t, 24, [5]);
  // Two threads share these batches, whose pixels are put together; smaller than the crop, they have black edges.
  for (const options of [defaults, { ...defaults, augment: 'none', resize: 20, batchSize: 9, prefetch: 1 }] as const) {
    const loader = createLoader(samples, sourceFor(t, root), options);
    const alone: Uint8Array[] = [];
    for (let index = 0; index < loader.batches; index++) {
      for await (const { images } of loader.epoch(0, index)) {
        alone.push(images.data);
        break;
      }
    }
    const seen: Uint8Array[] = [];
    for await (const { images } of loader.epoch(0)) {
      seen.push(images.data);
      assert.deepEqual(seen.slice(-2), alone.slice(0, seen.length).slice(-2));
    }
    assert.equal(seen.length, loader.batches);
    assert.equal(seen[0]?.length, 0, 'memory is used again');
  }
});

test('an undecodable image is replaced in training, reported once, and the rest stays as it was', async (t) => {
  const { root, samples } = await samplesOf(t, 6);
  const clean = await record(createLoader(samples, sourceFor(t, root), defaults), 0);
  await writeFiles(root, ['train/odd/005.png'], 'no image');
  const reported: string[] = [];
  const source = sourceFor(t, root, { onUndecodable: (file, reason) => reported.push(`${file}: ${reason}`) });
  const loader = createLoader(samples, source, defaults);
  const dirty = await record(loader, 0);
  assert.equal(reported.length, 1);
  assert.match(reported[0] ?? '', /005\.png: The file is not in a format that can be read/);
  assert.equal(dirty.length, clean.length);
  assert.equal(dirty.filter((batch, index) => batch !== clean[index]).length, 1);
  const again = createLoader(samples, sourceFor(t, root), defaults);
  assert.deepEqual(await record(again, 0, 1), dirty.slice(1));
  assert.deepEqual(await record(loader, 0), dirty);
  assert.equal(reported.length, 1);
});

test('a measurement leaves undecodable images out and skips a batch that has none left', async (t) => {
  const { root, samples } = await samplesOf(t, 4, [1, 4, 5, 6, 7]);
  const source = sourceFor(t, root);
  const options = { ...defaults, augment: 'none', shuffle: false, replaceUndecodable: false } as const;
  const seen: number[] = [];
  for await (const { indices } of createLoader(samples, source, options).epoch(0)) seen.push(...indices);
  assert.deepEqual(seen, [0, 2, 3]);
  assert.equal(source.undecodable.size, 5);
});

test('images are decoded once while memory holds them', async (t) => {
  const { root, samples } = await samplesOf(t, 4);
  const source = sourceFor(t, root);
  const loader = createLoader(samples, source, defaults);
  await record(loader, 0);
  assert.equal(source.statistics.fromMemory, 0);
  await record(loader, 1);
  assert.equal(source.statistics.fromMemory, 8);
  assert.equal(source.statistics.diskBytesWritten, 0);
});

/** Where an image may lie when it is asked for again. */
const places = {
  'in memory': { cacheBytes: 1e8 },
  'on disk': { cacheBytes: 0 },
  nowhere: { cacheBytes: 0, diskCacheBytes: 0, onWarning: () => undefined },
};

/** Replaces a file's bytes or the file itself, and keeps its size and time. */
async function replace(file: string, content: Uint8Array, how: 'in place' | 'by a rename') {
  const { atime, mtime, size } = await stat(file);
  const padded = Buffer.alloc(Math.max(size, content.length));
  padded.set(content);
  const target = how === 'in place' ? file : `${file}.new`;
  await writeFile(target, padded);
  await utimes(target, atime, mtime);
  await rename(target, file);
}

for (const [place, options] of Object.entries(places)) {
  test(`an image that vanishes while its pixels lie ${place} ends the epoch, and the missing folder is named`, async (t) => {
    const { root, samples } = await samplesOf(t, 4);
    const loader = createLoader(samples, sourceFor(t, root, options), defaults);
    await record(loader, 0);
    await rename(join(root, 'train/odd/005.png'), join(root, 'away.png'));
    await assert.rejects(record(loader, 1), /odd\/005\.png is no longer there, .*put it back, then resume/u);
    await assert.rejects(loader.check(), /005\.png is no longer there/u);
    await rename(join(root, 'train'), join(root, 'moved'));
    await assert.rejects(record(loader, 1), new RegExp(`${join(root, 'train')} is no longer there`, 'u'));
  });

  for (const how of ['in place', 'by a rename'] as const) {
    test(`an image that is replaced ${how} while its pixels lie ${place} ends the epoch, size and time kept or not`, async (t) => {
      const { root, samples } = await samplesOf(t, 4);
      const loader = createLoader(samples, sourceFor(t, root, options), defaults);
      await record(loader, 0);
      // Shorter than the other one, so that it fits when padded.
      const other = await noiseImage(99, 20, 20);
      await replace(join(root, 'train/odd/005.png'), other, how);
      await assert.rejects(
        record(loader, 1),
        /005\.png is no longer the image that the run began with: put that one back/u,
      );
      await assert.rejects(loader.check(), /005\.png is no longer the image/u);
    });
  }

  test(`a file that is only touched, or re-encoded with the same pixels, stays the image that it was ${place}`, async (t) => {
    const { root, samples } = await samplesOf(t, 4);
    const loader = createLoader(samples, sourceFor(t, root, options), defaults);
    const first = await record(loader, 0);
    await utimes(join(root, 'train/odd/005.png'), 1, 1);
    const even = join(root, 'train/even/004.png');
    await replace(even, await sharp(even).png({ compressionLevel: 1 }).toBuffer(), 'by a rename');
    await loader.check();
    assert.deepEqual(await record(loader, 0), first);
  });
}

test('an image that was listed and is gone before it was ever read is missed too', async (t) => {
  const { root, samples } = await samplesOf(t, 4);
  await rm(join(root, 'train/odd/005.png'));
  const loader = createLoader(samples, sourceFor(t, root), defaults);
  await assert.rejects(record(loader, 0), /005\.png is no longer there/u);
});

test('images that are known are looked at and not loaded', async (t) => {
  const { root, samples } = await samplesOf(t, 4, [3]);
  const source = sourceFor(t, root);
  const loader = createLoader(samples, source, defaults);
  await record(loader, 0);
  const loaded = source.statistics.fromMemory;
  const known = async () => {
    for await (const { indices } of loader.epoch(1, 0, () => true)) assert.equal(indices.length, 0);
  };
  await known();
  assert.equal(source.statistics.fromMemory, loaded);
  await writeFiles(root, ['train/odd/003.png'], 'still no image');
  await known();
  await writeFiles(root, ['train/odd/005.png'], 'no image');
  await assert.rejects(known(), /005\.png is no longer the image/u);
});

test('pixels of an image that was replaced between two runs are never used', async (t) => {
  const { root, samples } = await samplesOf(t, 4);
  const options = { ...defaults, augment: 'none', shuffle: false } as const;
  await record(createLoader(samples, sourceFor(t, root, places['on disk']), options), 0);
  await replace(join(root, 'train/odd/005.png'), await noiseImage(99, 20, 20), 'in place');
  const later = await record(createLoader(samples, sourceFor(t, root, places['on disk']), options), 0);
  const fresh = await record(createLoader(samples, sourceFor(t, root), options), 0);
  assert.deepEqual(later, fresh);
});

test('what does not fit into memory is found again on disk by a later run', async (t) => {
  const { root, samples } = await samplesOf(t, 4);
  const one = 40 * 40 * 1.5 * 3;
  const source = sourceFor(t, root, { cacheBytes: 2 * one });
  const loader = createLoader(samples, source, defaults);
  const batches = await record(loader, 0);
  assert.ok(source.statistics.memoryBytes > 0 && source.statistics.memoryBytes <= 2 * one);
  assert.ok(source.statistics.diskBytesWritten > 0);
  const entries = await readdir(join(root, 'cache'), { recursive: true });
  assert.equal(entries.filter((name) => name.endsWith('.rgb')).length, 6);
  const later = sourceFor(t, root, { cacheBytes: 0 });
  assert.deepEqual(await record(createLoader(samples, later, defaults), 0), batches);
  const after = await readdir(join(root, 'cache'), { recursive: true });
  assert.equal(after.filter((name) => name.endsWith('.rgb')).length, 8);
});

test('a data set larger than memory and disk may keep is loaded whole, and neither limit is passed', async (t) => {
  const { root, samples } = await samplesOf(t, 16);
  const one = 40 * 40 * 1.5 * 3;
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  // Batches are made ahead, so many images ask for room before any has taken it.
  const source = sourceFor(t, root, { cacheBytes: 2 * one, diskCacheBytes: 3 * one, onWarning });
  const loader = createLoader(samples, source, defaults);
  const first = await record(loader, 0);
  assert.equal(first.length * defaults.batchSize, samples.length);
  await record(loader, 1);
  assert.deepEqual(await record(loader, 0), first);
  const { memoryBytes, diskBytesWritten } = source.statistics;
  assert.ok(memoryBytes > 0 && memoryBytes <= 2 * one, `${memoryBytes} bytes in memory`);
  assert.ok(diskBytesWritten > 0 && diskBytesWritten <= 3 * one, `${diskBytesWritten} bytes on disk`);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /cache is full, so images .* decoded again in every epoch/);
});

test('a cache that cannot be written is said once and stops nothing', async (t) => {
  const { root, samples } = await samplesOf(t, 4);
  await writeFiles(root, ['blocked'], 'a file where the folder should be');
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const source = sourceFor(t, root, { cacheBytes: 0, cacheFolder: join(root, 'blocked'), onWarning });
  assert.equal((await record(createLoader(samples, source, defaults), 0)).length, 2);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /blocked cannot be used .* decoded again in every epoch/);
});

test('a cache folder that others may write to is neither read nor written, which is said once', async (t) => {
  const { root, samples } = await samplesOf(t, 4);
  const cache = join(root, 'cache');
  await record(createLoader(samples, sourceFor(t, root, { cacheBytes: 0 }), defaults), 0);
  const entries = (await readdir(cache, { recursive: true })).length;
  await chmod(cache, 0o777);
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const source = sourceFor(t, root, { cacheBytes: 0, onWarning });
  await writeFiles(root, ['train/odd/005.png'], await noiseImage(99, 20, 20));
  await record(createLoader(samples, source, defaults), 0);
  assert.equal((await readdir(cache, { recursive: true })).length, entries);
  assert.equal(source.statistics.diskBytesWritten, 0);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /cache cannot be used \(other users may write to it\)/u);
});

test('what no run has used for longest makes room on disk', async (t) => {
  const { root, samples } = await samplesOf(t, 4);
  const limits = { cacheBytes: 0, diskCacheBytes: 8 * (88 * 40 * 3 + 200) };
  await record(createLoader(samples, sourceFor(t, root, limits), defaults), 0);
  const other = await samplesOf(t, 4);
  const source = sourceFor(t, root, { ...limits, onWarning: refuse });
  await record(createLoader(other.samples, source, defaults), 0);
  assert.ok(source.statistics.diskBytesWritten > 0);
});

test('an epoch that is broken off leaves nothing behind that fails', async (t) => {
  const { root, samples } = await samplesOf(t, 8);
  const source = createImageSource({ cacheBytes: 1e8, cacheFolder: join(root, 'cache') });
  for await (const batch of createLoader(samples, source, defaults).epoch(0)) {
    assert.equal(batch.index, 0);
    break;
  }
  await source.dispose();
});
