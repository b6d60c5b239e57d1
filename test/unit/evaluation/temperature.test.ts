import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atTemperature, fitTemperature } from '../../../src/ml/evaluation/temperature.ts';
import { softmaxRows } from '../../../src/ml/inference/ranking.ts';
import cases from '../../fixtures/temperature_scaling.json' with { type: 'json' };

/** Images as a classifier gives them: float32 probabilities. */
function imagesOf({ actual, logits }: (typeof cases)['too sure']) {
  return actual.map((own, row) => {
    const values = Float32Array.from(logits[row] ?? []);
    return { actual: own, probabilities: softmaxRows(values, values.length) };
  });
}

function meanLoss(images: readonly { actual: number; probabilities: ArrayLike<number> }[]): number {
  return images.reduce((sum, image) => sum - Math.log(image.probabilities[image.actual] ?? 0), 0) / images.length;
}

const near = (ours: number, theirs: number, tolerance: number) =>
  assert.ok(Math.abs(ours - theirs) < tolerance, `${ours} is not ${theirs}`);

for (const [name, expected] of Object.entries(cases)) {
  test(`the temperature is the one that scipy finds, and so is its loss: ${name}`, () => {
    const images = imagesOf(expected);
    const temperature = fitTemperature(images) ?? NaN;
    near(temperature / expected.temperature, 1, 1e-5);
    near(meanLoss(images), expected.loss, 1e-5);
    const scaled = images.map(({ actual, probabilities }) => ({
      actual,
      probabilities: atTemperature(probabilities, temperature),
    }));
    near(meanLoss(scaled), expected.scaledLoss, 1e-5);
  });

  test(`scaled probabilities are those of the divided logits, in the same order: ${name}`, () => {
    imagesOf(expected).forEach(({ probabilities }, row) => {
      const logits = expected.logits[row] ?? [];
      const sum = logits.reduce((all, value) => all + Math.exp(value / 3), 0);
      const scaled = atTemperature(probabilities, 3);
      scaled.forEach((value, at) => near(value, Math.exp((logits[at] ?? 0) / 3) / sum, 1e-6));
      const order = (values: ArrayLike<number>) =>
        Array.from(values, (_, at) => at).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
      assert.deepEqual(order(scaled), order(probabilities));
    });
  });
}

test('images that are all predicted right have no temperature, since none is low enough, nor have wrong ones', () => {
  const sure = { actual: 0, probabilities: [0.7, 0.3] };
  assert.equal(fitTemperature([sure, sure]), undefined);
  assert.equal(fitTemperature([{ ...sure, actual: 1 }]), undefined);
  assert.equal(fitTemperature([]), undefined);
});

test('a probability that float32 rounded to 0 is the smallest above', () => {
  const images = [
    { actual: 1, probabilities: [1, 0] },
    { actual: 0, probabilities: [1, 0] },
    { actual: 0, probabilities: [1, 0] },
  ];
  // A third of the images is of the class with the smallest probability, so that it is scaled to a third.
  const temperature = fitTemperature(images) ?? NaN;
  near(temperature, (149 * Math.LN2) / Math.log(2), 1e-6);
  near(atTemperature([1, 0], temperature)[1] ?? NaN, 1 / 3, 1e-9);
});
