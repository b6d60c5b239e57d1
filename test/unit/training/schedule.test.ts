import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRateAt, type ScheduleOptions } from '../../../src/ml/training/loop/schedule.ts';

const options: ScheduleOptions = {
  schedule: 'constant',
  learningRate: 0.1,
  warmupSteps: 0,
  stepsPerEpoch: 3,
  totalSteps: 8,
  stepEpochs: 2,
  stepFactor: 0.1,
  minLearningRate: 0,
};

function close(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, index) => assert.ok(Math.abs(value - (expected[index] ?? NaN)) < 1e-12, `step ${index}`));
}

test('the step schedule drops by epochs as torch’s StepLR(2, 0.1) does', () => {
  const atEpochs = [0, 1, 2, 3, 4, 5].map((epoch) => learningRateAt(epoch * 3 + 2, { ...options, schedule: 'step' }));
  close(atEpochs, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]);
});

test('the cosine schedule is torch’s CosineAnnealingLR(8) stepped every step', () => {
  const rates = [0, 1, 2, 3, 4, 5, 6, 7].map((step) => learningRateAt(step, { ...options, schedule: 'cosine' }));
  close(
    rates,
    [
      0.1, 0.09619397662556434, 0.08535533905932738, 0.0691341716182545, 0.05, 0.030865828381745515,
      0.014644660940672627, 0.0038060233744356634,
    ],
  );
});

test('with a floor it is torch’s CosineAnnealingLR(8, eta_min=0.02), and other schedules have none', () => {
  const floored = { ...options, schedule: 'cosine', minLearningRate: 0.02 } as const;
  close(
    [0, 2, 4, 6, 8, 20].map((step) => learningRateAt(step, floored)),
    [0.1, 0.06 + 0.04 * Math.SQRT1_2, 0.06, 0.06 - 0.04 * Math.SQRT1_2, 0.02, 0.02],
  );
  close([learningRateAt(8, { ...floored, schedule: 'step' })], [learningRateAt(8, { ...options, schedule: 'step' })]);
});

test('the warm-up rises linearly, never stands at 0, and meets the schedule at the peak', () => {
  const warm = { ...options, schedule: 'cosine', warmupSteps: 4 } as const;
  const rates = [0, 1, 2, 3, 4].map((step) => learningRateAt(step, warm));
  close(rates, [0.02, 0.04, 0.06, 0.08, 0.1]);
  assert.ok(learningRateAt(5, warm) < 0.1);
});

test('the rate stays at its end where a resumed run has more steps than planned', () => {
  assert.equal(learningRateAt(20, { ...options, schedule: 'cosine' }), 0);
  assert.equal(learningRateAt(20, options), 0.1);
});
