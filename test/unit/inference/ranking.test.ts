import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { meanProbabilities, rankClasses, softmaxRows } from '../../../src/ml/inference/ranking.ts';

test('a five-crop prediction is the mean of the softmax of each crop', () => {
  // By hand: softmax(ln 1, ln 3) = (1/4, 3/4) and softmax(0, 0) = (1/2, 1/2); their mean is (3/8, 5/8).
  const rows = softmaxRows(Float32Array.of(Math.log(1), Math.log(3), 7, 7), 2);
  const mean = meanProbabilities([rows.subarray(0, 2), rows.subarray(2, 4)]);
  assert.ok(Math.abs((mean[0] ?? 0) - 3 / 8) < 1e-7);
  assert.ok(Math.abs((mean[1] ?? 0) - 5 / 8) < 1e-7);
});

test('the ranking follows the mean, and not the last crop, whose order differs', () => {
  const labels = ['a', 'b'].map((name, index) => ({ index, folder: name, name }));
  const mean = meanProbabilities([Float32Array.of(0.9, 0.1), Float32Array.of(0.4, 0.6)]);
  assert.deepEqual(
    rankClasses(mean, labels, 2).map(({ name }) => name),
    ['a', 'b'],
  );
});

test('folders named 1, 10, 100 keep their own names in a ranking', () => {
  // Folders sort as text, so index 1 is folder 10; the report named such classes wrongly.
  const labels = [
    { index: 0, folder: '1', name: 'pink primrose' },
    { index: 1, folder: '10', name: 'globe thistle' },
    { index: 2, folder: '100', name: 'blanket flower' },
    { index: 3, folder: '2', name: 'hard-leaved pocket orchid' },
  ];
  assert.deepEqual(rankClasses([0.1, 0.2, 0.3, 0.4], labels, 3), [
    { index: 3, folder: '2', name: 'hard-leaved pocket orchid', probability: 0.4 },
    { index: 2, folder: '100', name: 'blanket flower', probability: 0.3 },
    { index: 1, folder: '10', name: 'globe thistle', probability: 0.2 },
  ]);
});

test('equal probabilities rank by index, and more are not invented than there are', () => {
  const labels = [2, 0, 1].map((index) => ({ index, folder: String(index), name: String(index) }));
  assert.deepEqual(
    rankClasses([0.5, 0.5, 0.5], labels, 9).map(({ index }) => index),
    [0, 1, 2],
  );
});

test('the first of ten thousand classes are those that sorting all of them gives', () => {
  const seed = Math.trunc(Math.random() * 1e9);
  const random = createRandom(seed);
  const labels = Array.from({ length: 10_000 }, (_, index) => ({ index, folder: `f${index}`, name: `n${index}` }));
  // Few values, so that many are equal.
  const values = labels.map(() => random.integer(500) / 500);
  const order = labels.toSorted((a, b) => (values[b.index] ?? 0) - (values[a.index] ?? 0));
  for (const count of [0, 1, 5, 100]) {
    const expected = order.slice(0, count).map((label) => ({ ...label, probability: values[label.index] }));
    assert.deepEqual(rankClasses(values, labels, count), expected, `seed ${seed}, ${count} classes`);
  }
});

test('softmax of large logits is finite and sums to one', () => {
  const row = softmaxRows(Float32Array.of(1000, 999, -1000), 3);
  assert.ok(row.every(Number.isFinite));
  assert.ok(Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-6);
});
