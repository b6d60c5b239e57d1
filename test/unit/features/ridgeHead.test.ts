import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import type { Placement } from '../../../src/ml/inference/graphClassifier.ts';
import { createRidgeHead } from '../../../src/ml/features/ridgeHead.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';

const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(2 ** 31));
console.log(`seed ${seed}`);
const placement = { engine: onnxEngine, device: 'cpu' };

const numbers = z.array(z.number());
const fixtureSchema = z.object({
  width: z.number(),
  classes: z.number(),
  ...{ labels: numbers, features: numbers, biases: numbers },
  ...{ weights: z.array(numbers), leftOut: z.array(numbers) },
});

test('weights and what each row is called by the head of all others are scikit-learn’s', async (t) => {
  const file = join(import.meta.dirname, '../../fixtures/ridge_head.json');
  const { width, classes, labels, features, ...expected } = fixtureSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const head = await createRidgeHead({ width, features: Float32Array.from(features) }, placement);
  t.after(() => head.dispose());
  const { weights, biases, probabilities, scale } = await head.fit(Int32Array.from(labels), classes);
  // Its targets are -1 and 1, ours 0 and 1.
  expected.weights.flat().forEach((weight, at) => assert.ok(Math.abs(2 * (weights[at] ?? 0) - weight) < 1e-4));
  expected.biases.forEach((bias, at) => assert.ok(Math.abs(2 * (biases[at] ?? 0) - 1 - bias) < 2e-4));
  expected.leftOut.forEach((scores, row) => {
    const parts = scores.map((score) => Math.exp((scale * (score + 1)) / 2));
    const total = parts.reduce((sum, part) => sum + part, 0);
    parts.forEach((part, at) => assert.ok(Math.abs((probabilities[row * classes + at] ?? 0) - part / total) < 2e-3));
  });
});

test('after any changes of labels, rows taken out and put back, all is to the last bit that of a new head', async (t) => {
  const random = createRandom(seed, 'ridge');
  const [rows, width] = [1500, 24];
  const centres = Float32Array.from({ length: 7 * width }, () => random.normal());
  const original = Int32Array.from({ length: rows }, (_, row) => row % 7);
  const features = Float32Array.from({ length: rows * width }, (_, at) => {
    const row = Math.floor(at / width);
    // A column that is constant, and one whose range is that of a single row.
    if (at % width === 3) return 1.25;
    if (at % width === 5) return row === 17 ? 900 : random.next();
    return Math.max(0, (centres[(original[row] ?? 0) * width + (at % width)] ?? 0) + 2 * random.normal());
  });
  const head = await createRidgeHead({ width, features }, placement);
  t.after(() => head.dispose());
  const labels = original.slice();
  let classes = 7;
  for (let turn = 0; turn < 12; turn++) {
    for (let change = 0; change < 1 + random.integer(3); change++) {
      const row = random.integer(rows);
      labels[row] = random.integer(3) === 0 ? -1 : random.integer(classes);
    }
    if (turn === 4) labels[17] = -1;
    if (turn === 7) labels[17] = 2;
    // A class is merged into another.
    if (turn === 9) labels.forEach((label, row) => (labels[row] = label === 6 ? 0 : label));
    if (turn === 9) classes = 6;
    const fit = await head.fit(labels, classes);
    if (turn % 3 !== 2 && turn !== 4 && turn !== 7) continue;
    const kept = [...labels.keys()].filter((row) => (labels[row] ?? -1) >= 0);
    const own = Float32Array.from(kept.flatMap((row) => [...features.subarray(row * width, (row + 1) * width)]));
    const fresh = await createRidgeHead({ width, features: own }, placement);
    const anew = await fresh.fit(Int32Array.from(kept, (row) => labels[row] ?? -1), classes); // prettier-ignore
    await fresh.dispose();
    assert.deepEqual(fit.weights, anew.weights, `weights in turn ${turn}`);
    assert.deepEqual([fit.biases, fit.scale], [anew.biases, anew.scale]);
    const probabilities = kept.flatMap((row) => [...fit.probabilities.subarray(row * classes, (row + 1) * classes)]);
    assert.deepEqual(Float32Array.from(probabilities), anew.probabilities, `probabilities in turn ${turn}`);
  }
});

test('classes that are merged one after another need no sessions of their own', async (t) => {
  const random = createRandom(seed, 'merged');
  const [rows, width] = [60, 8];
  const shapes = new Set<number>();
  const engine: Placement['engine'] = {
    ...onnxEngine,
    compileInference: async (...args) => {
      const model = await onnxEngine.compileInference(...args);
      const run: typeof model.run = (feeds) => {
        for (const { shape } of feeds.values()) shapes.add(shape[0] ?? 0);
        return model.run(feeds);
      };
      return { ...model, run };
    },
  };
  const features = Float32Array.from({ length: rows * width }, () => random.normal());
  const head = await createRidgeHead({ width, features }, { engine, device: 'cpu' });
  t.after(() => head.dispose());
  for (let classes = 20; classes > 1; classes--) {
    const { probabilities } = await head.fit(Int32Array.from({ length: rows }, (_, row) => row % classes), classes); // prettier-ignore
    assert.equal(probabilities.length, rows * classes);
  }
  assert.ok(shapes.size <= 2, `products with ${[...shapes].join(', ')} rows`);
});
