import assert from 'node:assert/strict';
import { readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { elementCount, float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import type { FrozenPart } from '../../../src/ml/training/features/frozenPart.ts';
import { withSharedFeatures } from '../../../src/ml/training/features/sharedFeatures.ts';
import { temporaryFolder } from './tinyDataset.ts';

const shape = [3, 2, 2];
const size = elementCount(shape);

/** Images `[N, 3, 2, 2]`, each of its own bytes. */
function images(...seeds: readonly number[]): Tensor {
  const data = Uint8Array.from(seeds.flatMap((seed) => Array.from({ length: size }, (_, place) => seed * 7 + place)));
  return { dtype: 'uint8', shape: [seeds.length, ...shape], data };
}

/** Two outputs made of an image's first byte; it counts the images that pass through it. */
function frozenPart() {
  let computed = 0;
  const part: FrozenPart = {
    computes: true,
    feeds: ({ data, shape: [count = 0] }) => {
      computed += count;
      const first = Array.from({ length: count }, (_, row) => Number(data[row * size]));
      return Promise.resolve(
        new Map<string, Tensor>([
          ['a', float32Tensor([count, 1], Float32Array.from(first))],
          ['b', float32Tensor([count, 2, 1], Float32Array.from(first.flatMap((value) => [value / 2, -value])))],
        ]),
      );
    },
    dispose: () => Promise.resolve(),
  };
  return { part, computed: () => computed };
}

async function open(t: TestContext, folder: string, key = 'k') {
  const warnings: string[] = [];
  const { part, computed } = frozenPart();
  const shared = await withSharedFeatures(part, { folder, key, onWarning: (line) => warnings.push(line) });
  t.after(() => shared.dispose());
  return { shared, part, computed, warnings };
}

test('what one run computed another one reads, whatever the batches are', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await open(t, folder);
  assert.deepEqual(await first.shared.feeds(images(1, 2, 3)), await first.part.feeds(images(1, 2, 3)));
  await first.shared.feeds(images(3, 4));
  assert.equal(first.computed(), 3 + 3 + 1);
  const second = await open(t, folder);
  const found = await second.shared.feeds(images(4, 1));
  assert.equal(second.computed(), 0);
  assert.deepEqual(found, await first.part.feeds(images(4, 1)));
  await second.shared.feeds(images(2, 9, 4));
  assert.equal(second.computed(), 1);
  const third = await open(t, folder);
  await third.shared.feeds(images(9, 3));
  assert.equal(third.computed(), 0);
});

test('batches that are asked for at the same time get their own features, and the next run reads them', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await open(t, folder);
  const batches = [images(1, 2), images(3, 4, 5), images(6)];
  const wanted = await Promise.all(batches.map((batch) => first.part.feeds(batch)));
  assert.deepEqual(await Promise.all(batches.map((batch) => first.shared.feeds(batch))), wanted);
  const second = await open(t, folder);
  assert.deepEqual(await Promise.all(batches.map((batch) => second.shared.feeds(batch))), wanted);
  assert.equal(second.computed(), 0);
});

test('features of another key are not taken', async (t) => {
  const folder = await temporaryFolder(t);
  await (await open(t, folder)).shared.feeds(images(1));
  const other = await open(t, folder, 'other');
  await other.shared.feeds(images(1));
  assert.equal(other.computed(), 1);
});

test('a row that a killed process left half is computed again, and so is a file of something else', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await open(t, folder);
  await first.shared.feeds(images(1, 2));
  const [name = ''] = await readdir(folder);
  await truncate(join(folder, name), (await stat(join(folder, name))).size - 3);
  await writeFile(join(folder, 'k.strange'), 'x'.repeat(100_000));
  const second = await open(t, folder);
  assert.deepEqual(await second.shared.feeds(images(1, 2)), await first.part.feeds(images(1, 2)));
  assert.equal(second.computed(), 1);
});
