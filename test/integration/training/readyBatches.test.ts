import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDecodePool } from '../../../src/ml/data/decodePool.ts';
import { createImageSource } from '../../../src/ml/data/imageSource.ts';
import { createLoader, type LoaderOptions } from '../../../src/ml/data/loader.ts';
import { scanDataset } from '../../../src/ml/data/scanDataset.ts';
import { float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { createFeatureStore } from '../../../src/ml/training/features/featureStore.ts';
import type { FrozenPart } from '../../../src/ml/training/features/frozenPart.ts';
import { freshBatches, keptBatches, type ReadyBatches } from '../../../src/ml/training/features/readyBatches.ts';
import { drawTinyDataset, temporaryFolder } from '../../unit/training/tinyDataset.ts';

const crop = 8;
const views = 2;
const endless: LoaderOptions = {
  batchSize: 4,
  resize: 10,
  crop,
  augment: 'report',
  seed: 3,
  shuffle: true,
  replaceUndecodable: true,
};
const options: LoaderOptions = { ...endless, views };
const refuse = (warning: string) => {
  throw new Error(warning);
};
const pool = createDecodePool(1);
after(() => pool.dispose());

/** A frozen part with two outputs that depend on every pixel; it counts the images that went through it. */
function countingPart(): FrozenPart & { readonly images: () => number } {
  let images = 0;
  const feeds = ({ data, shape: [rows = 0] }: Tensor) => {
    images += rows;
    const size = data.length / Math.max(1, rows);
    const sums = Float32Array.from({ length: rows }, (_, row) =>
      Array.from(data.subarray(row * size, (row + 1) * size), Number).reduce((sum, value, at) => sum + value * at, 0),
    );
    const halves = Float32Array.from({ length: 2 * rows }, (_, at) => Number(data[(at * size) / 2]));
    return Promise.resolve(
      new Map([
        ['sum', float32Tensor([rows, 1], sums)],
        ['corners', float32Tensor([rows, 1, 2], halves)],
      ]),
    );
  };
  return { computes: true, feeds, dispose: () => Promise.resolve(), images: () => images };
}

async function epochs(batches: ReadyBatches, count: number, fromBatch = 0) {
  const all = [];
  for (let epoch = 0; epoch < count; epoch++) {
    for await (const { index, feeds, labels } of batches(epoch, fromBatch)) all.push({ epoch, index, feeds, labels });
  }
  return all;
}

test('kept features make the same batches as computing them again, in every epoch', async (context) => {
  const folder = await temporaryFolder(context);
  const data = await drawTinyDataset(folder);
  await writeFile(join(data, 'train', '1', 'broken.png'), 'no image');
  const { splits } = await scanDataset(data, { validShare: 0, testShare: 0, seed: 0 });
  const source = createImageSource({ cacheBytes: 1e7, pool });
  const loader = createLoader(splits.train, source, options);
  const [again, once] = [countingPart(), countingPart()];
  const expected = await epochs(freshBatches(loader, again), 5);
  for (const memoryBytes of [1e8, 0]) {
    const before = once.images();
    const store = createFeatureStore({ places: splits.train.length, memoryBytes, folder, onWarning: refuse });
    const kept = keptBatches(loader, once, store);
    assert.deepEqual(await epochs(kept, 5), expected);
    assert.equal(once.images() - before, views * splits.train.length, 'each view goes through the frozen part once');
    await store.dispose();
  }
  assert.equal(again.images(), 5 * splits.train.length);
  // A resume begins in the middle with nothing kept.
  const store = createFeatureStore({ places: splits.train.length, memoryBytes: 1e8, onWarning: refuse });
  const resumed = await epochs(keptBatches(loader, once, store), 5, 3);
  assert.deepEqual(resumed, expected.filter(({ index }) => index >= 3)); // prettier-ignore
  await source.dispose();
});

test('with as many views as epochs every epoch has the pixels that it has without views', async (context) => {
  const { splits } = await scanDataset(await drawTinyDataset(await temporaryFolder(context)), {
    validShare: 0,
    testShare: 0,
    seed: 0,
  });
  const source = createImageSource({ cacheBytes: 1e7, pool });
  const part = countingPart();
  const expected = await epochs(freshBatches(createLoader(splits.train, source, endless), part), 3);
  const loader = createLoader(splits.train, source, { ...options, views: 3 });
  const store = createFeatureStore({ places: splits.train.length, memoryBytes: 1e8, onWarning: refuse });
  assert.deepEqual(await epochs(keptBatches(loader, part, store), 3), expected);
  await source.dispose();
});
