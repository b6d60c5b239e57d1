import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import { parseSweepSpace } from '../../../src/protocol/sweep.ts';
import { drawTrials } from '../../../src/ml/sweep/drawTrials.ts';
import { sobolPoint } from '../../../src/ml/sweep/sobol.ts';

const draw = (space: object) => drawTrials(parseSweepSpace(space));

test('a value of a setting is fixed, a list of values is a choice, and ranges are ranges', () => {
  const { fixed, dimensions } = parseSweepSpace({
    ...{ hidden: [512], batchSize: [16, 32], dropout: { range: [0, 0.5] }, warmupSteps: { range: [0, 10] } },
    ...{ learningRate: { log: [0.001, 0.1] }, trials: 2, epochs: 3, seed: 4 },
  });
  assert.deepEqual(fixed, { hidden: [512], epochs: 3, seed: 4 });
  assert.deepEqual(dimensions, [
    { setting: 'batchSize', values: [16, 32] },
    { setting: 'dropout', low: 0, high: 0.5, isLog: false, isWhole: false },
    { setting: 'warmupSteps', low: 0, high: 10, isLog: false, isWhole: true },
    { setting: 'learningRate', low: 0.001, high: 0.1, isLog: true, isWhole: false },
  ]);
});

test('a grid has each combination once, the first setting slowest', () => {
  assert.deepEqual(draw({ hidden: [[], [512]], batchSize: [16, 32, 64], sampler: 'grid' }), [
    ...[16, 32, 64].map((batchSize) => ({ hidden: [], batchSize })),
    ...[16, 32, 64].map((batchSize) => ({ hidden: [512], batchSize })),
  ]);
  assert.equal(draw({ batchSize: [16, 32, 64], sampler: 'grid', trials: 2 }).length, 2);
});

for (const sampler of ['random', 'sobol'] as const) {
  test(`draws of the sampler ${sampler} are the same again, keep to their ranges and fill them`, () => {
    const space = {
      ...{ sampler, trials: 200, seed: 7, method: ['full', 'scratch'] },
      ...{ learningRate: { log: [0.001, 0.1] }, warmupSteps: { range: [0, 4] } },
    };
    const trials = draw(space);
    assert.equal(trials.length, 200);
    assert.deepEqual(trials, draw(space));
    assert.notDeepEqual(trials, draw({ ...space, seed: 8 }));
    const rates = trials.map(({ learningRate }) => learningRate as number);
    assert.ok(Math.min(...rates) >= 0.001 && Math.max(...rates) <= 0.1);
    // Half of a log range lies below its geometric middle; 0.13 is over three deviations of 200 draws.
    const share = (of: (trial: (typeof trials)[number]) => boolean) => trials.filter(of).length / trials.length;
    assert.ok(Math.abs(share(({ learningRate }) => (learningRate as number) < 0.01) - 0.5) < 0.13);
    assert.ok(Math.abs(share(({ method }) => method === 'full') - 0.5) < 0.13);
    for (const steps of [0, 1, 2, 3, 4]) {
      assert.ok(Math.abs(share(({ warmupSteps }) => warmupSteps === steps) - 0.2) < 0.1, `${steps}`);
    }
  });
}

test('a space of fewer combinations than trials gives each of them once', () => {
  const trials = draw({ batchSize: [16, 32], epochs: [1, 2], trials: 20 });
  assert.equal(trials.length, 4);
  assert.equal(new Set(trials.map((trial) => JSON.stringify(trial))).size, 4);
});

test('the points of the Sobol sequence are those of scipy', () => {
  const file = join(import.meta.dirname, '../../fixtures/scipy_sobol.json');
  const { points } = JSON.parse(readFileSync(file, 'utf8')) as { points: number[][] };
  const shifts = points[0]?.map(() => 0) ?? [];
  assert.deepEqual(
    points.map((_, index) => sobolPoint(index, shifts)),
    points,
  );
});

test('a space that says nothing, or what there is not, is refused by the name of the setting', () => {
  for (const [space, words] of [
    [{ trials: 3 }, /has no choices/u],
    [{ batchSize: [16, 32] }, /needs "trials"/u],
    [{ lr: [1, 2], trials: 2 }, /^lr: not a setting/u],
    [{ batchSize: [16, 16], trials: 2 }, /batchSize: one of the values stands in the list twice/u],
    [{ batchSize: [16, 0.5], trials: 2 }, /^batchSize, 0.5: expected a whole number/u],
    [{ learningRate: { log: [0.1, 0.1] }, trials: 2 }, /is not above/u],
    [{ learningRate: { log: [0, 0.1] }, trials: 2 }, /^learningRate: /u],
    [{ dropout: { range: [0, 2] }, trials: 2 }, /^dropout: expected a number from 0 to 0.95/u],
    [{ learningRate: { log: [0.001, 0.1] }, sampler: 'grid' }, /a grid takes lists of values/u],
    [{ batchSize: [1, 2], trials: 0 }, /^trials: /u],
    [[], /not an object/u],
  ] as const) {
    assert.throws(
      () => draw(space),
      (error) => error instanceof UserError && words.test(error.message),
      JSON.stringify(space),
    );
  }
});
