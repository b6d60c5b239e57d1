import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { learningRates, suggestRate } from '../../../src/ml/training/loop/suggestRate.ts';

const range = { from: 1e-6, to: 1, steps: 121 };
const at = (loss: (rate: number) => number) =>
  learningRates(range).map((learningRate) => ({ learningRate, loss: loss(learningRate) }));
/** A fall that is fastest at 1e-3, and a rise from about 0.1 on. */
const valley = (rate: number) => 1 / (1 + (rate / 1e-3) ** 2) + (rate / 0.3) ** 2;

describe('the learning rates of a range test', () => {
  it('grow by the same factor from the first to the last', () => {
    assert.deepEqual(
      learningRates({ from: 0.001, to: 10, steps: 5 }).map((rate) => Number(rate.toPrecision(12))),
      [0.001, 0.01, 0.1, 1, 10],
    );
  });

  it('are told where the loss falls fastest and where it is least', () => {
    const { steepest = 0, least } = suggestRate(at(valley));
    assert.ok(Math.abs(Math.log10(steepest / 1e-3)) < 0.15, String(steepest));
    // The sum's derivative is 0 at about 0.017.
    assert.ok(Math.abs(Math.log10(least / 0.017)) < 0.15, String(least));
  });

  it('are told so through the noise of batches', () => {
    const noisy = at(valley).map((point, index) => ({ ...point, loss: point.loss + 0.03 * Math.sin(index * 12.9898) }));
    const { steepest = 0 } = suggestRate(noisy);
    assert.ok(Math.abs(Math.log10(steepest / 1e-3)) < 0.4, String(steepest));
  });

  it('have no fastest fall where the loss only rises', () => {
    assert.equal(suggestRate(at((rate) => 1 + rate)).steepest, undefined);
  });
});
