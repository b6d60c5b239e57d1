import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as z from 'zod';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createSelfTrainedHead } from '../../../src/ml/features/selfTrainedHead.ts';

const placement = { engine: onnxEngine, device: 'cpu' };
const numbers = z.array(z.number());
const fixtureSchema = z.object({
  width: z.number(),
  classes: z.number(),
  ...{ labels: numbers, mayBeGuessed: z.array(z.boolean()), features: numbers },
  ...{ leftOut: z.array(numbers), others: numbers, probabilities: z.array(numbers) },
});
const file = join(import.meta.dirname, '../../fixtures/self_trained_head.json');
const { width, classes, labels, mayBeGuessed, features, ...expected } = fixtureSchema.parse(JSON.parse(readFileSync(file, 'utf8'))); // prettier-ignore

async function head(t: TestContext) {
  const made = await createSelfTrainedHead({ width, features: Float32Array.from(features), keepsScale: true }, placement); // prettier-ignore
  t.after(() => made.dispose());
  return (own: readonly number[], mayGuess: (row: number) => boolean) => made.fit(Int32Array.from(own), classes, mayGuess); // prettier-ignore
}
const isOpen = (row: number) => mayBeGuessed[row] === true;

test('rows are judged as by two of scikit-learn’s ridge regressions, the second of which learns from sure guesses of the first', async (t) => {
  const fit = await head(t);
  const { probabilities, leftOut } = await fit(labels, isOpen);
  const close = (rows: readonly number[], shown: Float32Array, known: readonly (readonly number[])[]) => {
    rows.forEach((row, at) =>
      known[at]?.forEach((probability, index) => {
        const own = shown[row * classes + index] ?? NaN;
        assert.ok(Math.abs(own - probability) < 3e-3, `${row} ${index}: ${own}, not ${probability}`);
      }),
    );
  };
  close([...labels.keys()].filter((row) => (labels[row] ?? -1) >= 0), leftOut, expected.leftOut); // prettier-ignore
  close(expected.others, probabilities, expected.probabilities);
});

test('what was fitted before leaves no trace, and without guesses both heads say the same', async (t) => {
  const [fit, anew] = [await head(t), await head(t)];
  await fit(labels.map((label, row) => (row % 5 === 0 ? -1 : label)), isOpen); // prettier-ignore
  assert.deepEqual(await fit(labels, isOpen), await anew(labels, isOpen));
  const { probabilities, leftOut } = await fit(labels, () => false);
  probabilities.forEach((probability, at) => assert.ok(Math.abs(probability - (leftOut[at] ?? NaN)) < 1e-5));
});
