import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as z from 'zod';
import { growForest, growTree } from '../../../src/charts/regressionForest.ts';
import { createRandom, numberOf, permutationImportance, whatMattered } from '../../../src/charts/whatMattered.ts';
import { parseSweepSpace } from '../../../src/protocol/sweep.ts';
import type { TrialStanding } from '../../../src/protocol/sweepStandings.ts';

const numbers = z.array(z.number());
const caseSchema = z.object({
  columns: z.array(numbers),
  targets: numbers,
  others: numbers,
  tree: numbers,
  importances: numbers,
  spread: numbers,
  outOfBag: z.number(),
  outOfBagSpread: z.number(),
});
const fixture = new URL('../../fixtures/sklearn_importance.json', import.meta.url);
const cases = z.record(z.string(), caseSchema).parse(JSON.parse(readFileSync(fixture, 'utf8')));

for (const [name, expected] of Object.entries(cases)) {
  const columns = expected.columns.map((column) => Float64Array.from(column));
  const targets = Float64Array.from(expected.targets);

  test(`a tree of one column predicts what scikit-learn’s does: ${name}`, () => {
    const predicted = growTree({ columns: columns.slice(0, 1), targets }).predict([Float64Array.from(expected.others)]);
    for (const [row, value] of predicted.entries())
      assert.ok(Math.abs(value - (expected.tree[row] ?? NaN)) < 1e-9, `row ${row}`);
  });

  test(`importances by permutation lie within the spread of scikit-learn’s forests: ${name}`, () => {
    const random = createRandom();
    const forest = growForest({ columns, targets }, 100, random);
    const importances = permutationImportance(forest.predict, columns, targets, random);
    for (const [place, importance] of importances.entries()) {
      const [mean = NaN, spread = NaN] = [expected.importances[place], expected.spread[place]];
      assert.ok(
        Math.abs(importance - mean) <= 4 * spread + 0.01,
        `setting ${place}: ${importance}, theirs ${mean} ± ${spread}`,
      );
    }
    const outOfBag = forest.outOfBagScore ?? NaN;
    assert.ok(
      Math.abs(outOfBag - expected.outOfBag) <= 4 * expected.outOfBagSpread + 0.01,
      `${outOfBag}, theirs ${expected.outOfBag}`,
    );
  });
}

test('a tree tells numbers apart that no other number lies between', () => {
  const [low, high] = [0.1 + Number.EPSILON / 16, 0.1 + Number.EPSILON / 8];
  assert.ok(low < high && (low + high) / 2 === high);
  const columns = [Float64Array.of(low, high, low, high)];
  assert.deepEqual([...growTree({ columns, targets: Float64Array.of(1, 2, 1, 2) }).predict(columns)], [1, 2, 1, 2]);
});

const space = parseSweepSpace({
  ...{ hidden: [[], [512]], batchSize: [16, 32], learningRate: { log: [0.0001, 0.01] } },
  ...{ trials: 40, halving: { first: 2, factor: 3 } },
});

/** Trials whose first score depends on the learning rate alone; those that went on are better for their epochs. */
function trials(count: number, accuracyOf: (rate: number) => number): TrialStanding[] {
  return Array.from({ length: count }, (_, index) => {
    const rate = 10 ** (-4 + (2 * ((index * 7) % count)) / count);
    const accuracy = accuracyOf(rate);
    const settings = { hidden: index % 2 === 0 ? [] : [512], batchSize: index % 4 < 2 ? 16 : 32, learningRate: rate };
    const goesOn = index % 2 === 0;
    return {
      ...{ trial: index + 1, settings, state: goesOn ? 'finished' : 'behind' },
      ...{ accuracy: goesOn ? accuracy + 0.3 : accuracy, loss: 1, epochs: goesOn ? 18 : 2 },
      first: { accuracy, loss: 1, epochs: 2 },
    };
  });
}

test('the setting that the accuracy depends on matters most, however long the trials trained', () => {
  const mattered = whatMattered(
    trials(40, (rate) => 0.5 + Math.log10(rate) / 20),
    space.dimensions,
  );
  assert.equal(mattered.kind, 'found');
  assert.deepEqual([mattered.trials, mattered.epochs], [40, 2]);
  const [first, ...others] = mattered.settings;
  assert.equal(first?.setting, 'learningRate');
  assert.ok(first.importance > 1, String(first.importance));
  for (const { setting, importance } of others) assert.ok(importance < 0.05, `${setting}: ${importance}`);
});

test('nothing is said of few trials, of equal ones, or of chance', () => {
  assert.deepEqual(
    whatMattered(
      trials(11, () => 0.5),
      space.dimensions,
    ),
    { kind: 'too few', trials: 11, epochs: 2, needed: 12 },
  );
  assert.deepEqual(whatMattered([], space.dimensions), { kind: 'too few', trials: 0, needed: 12 });
  assert.equal(
    whatMattered(
      trials(30, () => 0.5),
      space.dimensions,
    ).kind,
    'unexplained',
  );
  const random = createRandom();
  assert.equal(
    whatMattered(
      trials(30, () => random()),
      space.dimensions,
    ).kind,
    'unexplained',
  );
});

test('trials without a score, or with settings that the space does not have, are left out', () => {
  const scored = trials(20, (rate) => rate);
  const waiting: TrialStanding = {
    trial: 21,
    settings: { hidden: [], batchSize: 16, learningRate: 0.001 },
    state: 'waiting',
  };
  const other: TrialStanding = { ...(scored[0] ?? waiting), trial: 22, settings: { hidden: [], batchSize: 16 } };
  assert.equal(whatMattered([...scored, waiting, other], space.dimensions).trials, 20);
});

test('of very many trials some are drawn, and the figures are the same each time', () => {
  const many = trials(1000, (rate) => 0.5 + Math.log10(rate) / 20);
  const mattered = whatMattered(many, space.dimensions);
  assert.equal(mattered.trials, 300);
  assert.deepEqual(whatMattered(many, space.dimensions), mattered);
});

test('a choice counts by its number or its place in the list', () => {
  const [hidden, batchSize, learningRate] = space.dimensions;
  assert.ok(hidden && batchSize && learningRate);
  assert.equal(numberOf(hidden, [512]), 1);
  assert.equal(numberOf(batchSize, 32), 32);
  assert.equal(numberOf(learningRate, 0.002), 0.002);
  assert.ok(Number.isNaN(numberOf(learningRate, 'fast')));
});
