import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootedRows } from '../../../src/ml/features/rootedRows.ts';

test('signed roots of the rows that count have mean 0 in each column and deviation 1 in all together', () => {
  const features = Float32Array.from([4, -1, NaN, NaN, 0, -9, 16, 1]);
  const rooted = rootedRows({ width: 2, features }, (row) => row !== 1);
  assert.equal(rooted.keepsScale, true);
  // Roots 2, 0, 4 and -1, -3, 1, whose means are 2 and -1: six differences of 2 or 0, four of them 2.
  const deviation = Math.sqrt((4 * 4) / 6);
  const expected = [0, 0, 0, 0, -2, -2, 2, 2].map((difference) => difference / deviation);
  rooted.features.forEach((value, at) => assert.ok(Math.abs(value - (expected[at] ?? 0)) < 1e-6, `${at}: ${value}`));
});

test('rows that are all the same, and none, become zeros', () => {
  for (const features of [new Float32Array(6).fill(3), new Float32Array()]) {
    assert.ok(rootedRows({ width: 2, features }, () => true).features.every((value) => value === 0));
  }
});
