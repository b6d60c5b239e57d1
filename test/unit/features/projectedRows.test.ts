import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { projectedRows } from '../../../src/ml/features/projectedRows.ts';
import { createRidgeHead, type HeadRows } from '../../../src/ml/features/ridgeHead.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';

const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(2 ** 31));
console.log(`seed ${seed}`);
const placement = { engine: onnxEngine, device: 'cpu' };

/** Rows of four classes that overlap. */
function drawn(rows: number, width: number) {
  const random = createRandom(seed, 'rows', rows);
  const centres = Float32Array.from({ length: 4 * width }, () => random.normal());
  const labels = Int32Array.from({ length: rows }, (_, row) => row % 4);
  const features = Float32Array.from({ length: rows * width }, (_, at) => {
    const own = centres[(labels[Math.floor(at / width)] ?? 0) * width + (at % width)] ?? 0;
    return own + 4 * random.normal() + (at % width === 2 ? 50 : 0);
  });
  return { labels, rows: { width, features } };
}

async function probabilitiesOf(rows: HeadRows, labels: Int32Array): Promise<Float32Array> {
  const head = await createRidgeHead(rows, placement);
  const { probabilities } = await head.fit(labels, 4);
  await head.dispose();
  return probabilities;
}

test('a head over rows that are projected onto all of them says what one over the rows themselves does', async () => {
  const { labels, rows } = drawn(60, 96);
  const projected = await projectedRows(rows, () => true, 80, placement);
  assert.deepEqual([projected.width, projected.projectedFrom], [60, 96]);
  const [whole, narrow] = [await probabilitiesOf(rows, labels), await probabilitiesOf(projected, labels)];
  const apart = Math.max(...whole.map((share, at) => Math.abs(share - (narrow[at] ?? 0))));
  assert.ok(apart < 5e-3, `${apart} apart`);
});

test('wider rows have no more numbers than asked for, and a head over them is nearly as good', async () => {
  const { labels, rows } = drawn(600, 128);
  const projected = await projectedRows(rows, () => true, 100, placement);
  assert.deepEqual([projected.width, projected.features.length], [100, 600 * 100]);
  const right = (probabilities: Float32Array) => [...labels.keys()].filter((row) => {
    const own = probabilities.subarray(row * 4, row * 4 + 4);
    return own.indexOf(Math.max(...own)) === labels[row];
  }).length; // prettier-ignore
  const [whole, narrow] = [right(await probabilitiesOf(rows, labels)), right(await probabilitiesOf(projected, labels))];
  assert.ok(whole > 300 && narrow > whole - 30, `${whole} right, ${narrow} of the projected ones`);
});

test('one row, rows that are all the same, and none are projected without a number that is not finite', async () => {
  for (const count of [0, 1, 3]) {
    const rows = { width: 16, features: new Float32Array(count * 16).fill(2) };
    const { features } = await projectedRows(rows, () => true, 4, placement);
    assert.ok(features.every(Number.isFinite), `${count} rows`);
  }
});

test('rows that are narrow enough stay as they are', async () => {
  const { rows } = drawn(8, 16);
  assert.equal(await projectedRows(rows, () => true, 16, placement), rows);
});
