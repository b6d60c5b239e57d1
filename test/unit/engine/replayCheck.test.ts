import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCompared, largestDifference, largestValue } from '../../../src/ml/engine/onnxruntime/webgpu/replayCheck.ts';

test('the first replays are compared, then fewer, and one in a thousand for as long as a training lasts', () => {
  const compared = (to: number) => Array.from({ length: to }, (_, at) => at + 1).filter(isCompared);
  assert.deepEqual(compared(1000), [1, 2, 8, 64, 512]);
  assert.equal(compared(102_400).length, 105);
});

test('a value that is no number differs from all but its like, by more than any number', () => {
  const { NaN: none, POSITIVE_INFINITY: infinite } = Number;
  assert.equal(largestDifference([1, -2, 3], [1, 2, 3.5]), 4);
  assert.equal(largestDifference([none, infinite, -0], [none, infinite, 0]), 0);
  assert.equal(largestDifference([1, none], [1, 2]), infinite);
  assert.equal(largestDifference([1, 2], [none, 9]), infinite);
  assert.equal(largestDifference([1n], [3n]), 2);
  assert.equal(largestValue([1, -3, 2]), 3);
});
