import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBatchingQueue, type BatchingOptions } from '../../../src/ml/serve/batchingQueue.ts';

const forever = new AbortController().signal;

/** The crop of a number, whose row is that number. */
const crop = (value: number) => Uint8Array.of(value);
const rowsOf = (crops: readonly Uint8Array[]) => crops.map(([value = 0]) => Float32Array.of(value));

/** A queue, what it computed, and a way to let the network go on. */
function slowQueue(options: Partial<BatchingOptions> = {}) {
  const batches: number[] = [];
  const runs: (() => void)[] = [];
  const queue = createBatchingQueue({
    compute: (crops) => new Promise((resolve) => runs.push(() => resolve(rowsOf(crops)))),
    mostImages: 3,
    waitMilliseconds: 0,
    isMoreComing: () => false,
    onBatch: (images) => batches.push(images),
    ...options,
  });
  const next = async () => {
    await new Promise(setImmediate);
    runs.shift()?.();
  };
  return { queue, batches, next };
}

test('images that wait when the network is free go through it together, and each gets its own rows', async () => {
  const { queue, batches, next } = slowQueue();
  const answers = [1, 2, 3, 4, 5].map((value) => queue.classify([crop(value), crop(10 * value)], forever));
  for (let run = 0; run < 2; run++) await next();
  assert.deepEqual(
    (await Promise.all(answers)).map((rows) => rows.map(([value]) => value)),
    [1, 2, 3, 4, 5].map((value) => [value, 10 * value]),
  );
  assert.deepEqual(batches, [3, 2]);
});

test('an image that nobody waits for any more does not take the network', async () => {
  const { queue, batches, next } = slowQueue();
  const leaving = new AbortController();
  const first = queue.classify([crop(1)], forever);
  const left = assert.rejects(queue.classify([crop(2)], leaving.signal), { name: 'CancelledError' });
  const last = queue.classify([crop(3)], forever);
  leaving.abort();
  await next();
  await left;
  assert.deepEqual((await Promise.all([first, last])).flat(), [Float32Array.of(1), Float32Array.of(3)]);
  assert.deepEqual(batches, [2]);
});

test('an image on which the network fails does not fail those beside it', async () => {
  const compute = (crops: readonly Uint8Array[]) =>
    crops.some(([value]) => value === 2) ? Promise.reject(new Error('overflow')) : Promise.resolve(rowsOf(crops));
  const { queue } = slowQueue({ compute });
  const settled = await Promise.allSettled([1, 2, 3, 4].map((value) => queue.classify([crop(value)], forever)));
  assert.deepEqual(
    settled.map((one) => (one.status === 'fulfilled' ? one.value : 'failed')),
    [[Float32Array.of(1)], 'failed', [Float32Array.of(3)], [Float32Array.of(4)]],
  );
});

test('a batch waits a moment for images that are on their way, and no longer', async () => {
  let coming = 2;
  const { queue, batches } = slowQueue({
    compute: (crops) => Promise.resolve(rowsOf(crops)),
    waitMilliseconds: 10_000,
    isMoreComing: () => coming > 0,
  });
  const first = queue.classify([crop(1)], forever);
  await new Promise((resolve) => setTimeout(resolve, 3));
  const second = queue.classify([crop(2)], forever);
  coming = 0;
  await Promise.all([first, second]);
  assert.deepEqual(batches, [2]);
});
