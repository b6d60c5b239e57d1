import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { afterEpoch, earlyStopStart, shouldStop } from '../../../src/ml/training/loop/earlyStop.ts';
import { createMetrics } from '../../../src/ml/training/loop/metrics.ts';

const logOf = (...probabilities: number[]) => probabilities.map(Math.log);

test('figures are over images and not means of batches', () => {
  const metrics = createMetrics();
  metrics.add(float32Tensor([3, 2], Float32Array.from([logOf(0.9, 0.1), logOf(0.8, 0.2), logOf(0.7, 0.3)].flat())), Int32Array.of(0, 0, 0)); // prettier-ignore
  metrics.add(float32Tensor([1, 2], Float32Array.from(logOf(0.6, 0.4))), Int32Array.of(1));
  const { images, accuracy, top5, loss } = metrics.result();
  assert.equal(images, 4);
  assert.equal(accuracy, 0.75, 'the mean of the batches would be 0.5');
  assert.equal(top5, 1);
  const expected = -(Math.log(0.9) + Math.log(0.8) + Math.log(0.7) + Math.log(0.4)) / 4;
  assert.ok(Math.abs(loss - expected) < 1e-6);
});

test('top-5 is what sorting says, however the images are cut into batches', () => {
  const seed = Date.now() % 100_000;
  const random = createRandom(seed);
  const [classes, images] = [12, 101];
  const rows = Array.from({ length: images }, () => Float32Array.from({ length: classes }, () => random.next() - 1));
  const labels = rows.map(() => random.integer(classes));
  const ranks = rows.map((row, image) =>
    [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0)).indexOf(labels[image] ?? -1),
  );
  const metrics = createMetrics();
  for (let start = 0; start < images; start += 7) {
    const part = rows.slice(start, start + 7);
    const data = Float32Array.from(part.flatMap((row) => [...row]));
    metrics.add(float32Tensor([part.length, classes], data), Int32Array.from(labels.slice(start, start + 7)));
  }
  const result = metrics.result();
  assert.equal(result.accuracy, ranks.filter((rank) => rank === 0).length / images, `seed ${seed}`);
  assert.equal(result.top5, ranks.filter((rank) => rank < 5).length / images, `seed ${seed}`);
});

test('a network that says NaN or the same for every class is not called right', () => {
  const metrics = createMetrics();
  metrics.add(float32Tensor([2, 8], Float32Array.from([...new Float32Array(8), ...new Float32Array(8).fill(NaN)])), Int32Array.of(7, 0)); // prettier-ignore
  const { accuracy, top5 } = metrics.result();
  assert.deepEqual([accuracy, top5], [0, 0]);
});

test('early stopping counts epochs without a better loss; equal and NaN are not better', () => {
  let state = earlyStopStart;
  for (const loss of [2, 1, 1, NaN]) state = afterEpoch(state, loss);
  assert.deepEqual(state, { bestLoss: 1, epochsWithoutBetter: 2 });
  const patiences = [2, 3, 0, undefined];
  assert.deepEqual(patiences.map((patience) => shouldStop(state, patience)), [true, false, false, false]); // prettier-ignore
  state = afterEpoch(state, 0.9);
  assert.deepEqual(state, { bestLoss: 0.9, epochsWithoutBetter: 0 });
  assert.equal(afterEpoch(earlyStopStart, NaN).bestLoss, undefined);
});
