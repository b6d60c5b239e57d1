import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { nearestNeighbours } from '../../../src/ml/features/neighbours.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';

const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(2 ** 31));
console.log(`seed ${seed}`);
const placement = { engine: onnxEngine, device: 'cpu' };

test('the nearest of every row are those of all pairs in float64, without itself and without rows that do not count', async () => {
  const random = createRandom(seed, 'neighbours');
  const [rows, width, count] = [700, 6, 4];
  const features = Float32Array.from({ length: rows * width }, () => random.next() - 0.5);
  const counts = (row: number) => row % 7 !== 3;
  const found = await nearestNeighbours({ width, features }, counts, count, placement);
  const unit = (row: number) => {
    const own = [...features.subarray(row * width, (row + 1) * width)];
    const length = Math.hypot(...own);
    return own.map((value) => value / length);
  };
  const units = Array.from({ length: rows }, (_, row) => unit(row));
  const cosine = (a: number, b: number) => (units[a] ?? []).reduce((sum, value, at) => sum + value * (units[b]?.[at] ?? 0), 0); // prettier-ignore
  for (let row = 0; row < rows; row++) {
    const own = [...found.rows.subarray(row * count, (row + 1) * count)];
    if (!counts(row)) {
      assert.deepEqual(own, Array(count).fill(-1));
      continue;
    }
    const expected = [...Array(rows).keys()]
      .filter((other) => other !== row && counts(other))
      .map((other) => cosine(row, other))
      .sort((a, b) => b - a)
      .slice(0, count);
    own.forEach((other, place) => {
      assert.ok(other !== row && counts(other));
      assert.ok(Math.abs(cosine(row, other) - (expected[place] ?? 0)) < 1e-5);
    });
  }
});

test('a row with fewer others than asked for has no more', async () => {
  const features = Float32Array.from([1, 0, 0, 1, 1, 1]);
  const found = await nearestNeighbours({ width: 2, features }, () => true, 3, placement);
  assert.deepEqual([...found.rows.subarray(0, 3)], [2, 1, -1]);
});
