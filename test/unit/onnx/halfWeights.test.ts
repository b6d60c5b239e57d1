import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfBits } from '../../../src/ml/onnx/halfWeights.ts';

test('a number becomes the nearest float16, halves the even one', () => {
  // Bits as IEEE 754-2008 defines binary16; 2049 and 2051 lie between two of its numbers.
  const cases: [number, number][] = [
    [0, 0x0000], [-0, 0x8000], [1, 0x3c00], [-2, 0xc000], [65504, 0x7bff], [2049, 0x6800], [2051, 0x6802],
    [2 ** -14, 0x0400], [2 ** -24, 0x0001], [2 ** -25, 0x0000], [3 * 2 ** -25, 0x0002], [1 / 3, 0x3555],
    [1 - 2 ** -13, 0x3c00], [2 ** -14 - 2 ** -26, 0x0400],
  ]; // prettier-ignore
  for (const [value, expected] of cases) assert.equal(halfBits(value), expected, `${value}`);
});
