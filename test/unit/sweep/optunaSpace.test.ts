import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionsOf, settingsOf } from '../../../src/ml/sweep/optunaSpace.ts';
import { parseSweepSpace } from '../../../src/protocol/sweep.ts';

const space = {
  ...{ hidden: [[], [512], [512, 64]], batchSize: [16, 32], warmupSteps: { range: [0, 10] } },
  ...{ learningRate: { log: [0.001, 0.1] }, dropout: { range: [0, 0.5] }, trials: 5 },
};

test('lists, ranges and log ranges are told as the distributions of Optuna', () => {
  assert.deepEqual(distributionsOf(parseSweepSpace({ ...space, sampler: { optuna: 'TPESampler' } }).dimensions), {
    hidden: { name: 'CategoricalDistribution', attributes: { choices: ['[]', '[512]', '[512,64]'] } },
    batchSize: { name: 'CategoricalDistribution', attributes: { choices: ['16', '32'] } },
    warmupSteps: { name: 'IntDistribution', attributes: { low: 0, high: 10, log: false, step: 1 } },
    learningRate: { name: 'FloatDistribution', attributes: { low: 0.001, high: 0.1, log: true, step: null } },
    dropout: { name: 'FloatDistribution', attributes: { low: 0, high: 0.5, log: false, step: null } },
  });
});

test('parameters of Optuna become the settings that they stand for', () => {
  const { dimensions } = parseSweepSpace(space);
  const params = { hidden: '[512,64]', batchSize: '16', warmupSteps: 3, learningRate: 0.0123456789, dropout: 0.5 };
  assert.deepEqual(settingsOf(dimensions, params), {
    ...{ hidden: [512, 64], batchSize: 16, warmupSteps: 3, learningRate: 0.0123457, dropout: 0.5 },
  });
  for (const wrong of [{ hidden: '[7]' }, { hidden: undefined }, { dropout: 'much' }])
    assert.equal(settingsOf(dimensions, { ...params, ...wrong }), undefined);
});

test('a sampler that is none of Optuna’s, or of nobody’s, is refused by name', () => {
  for (const sampler of ['tpe', { optuna: 'BestSampler' }])
    assert.throws(() => parseSweepSpace({ ...space, sampler }), /^UserError: sampler.*TPESampler/u);
  const misspelt = { optuna: 'TPESampler', option: {} };
  assert.throws(() => parseSweepSpace({ ...space, sampler: misspelt }), /^UserError: sampler: .*"option"/u);
  const { trials, ...without } = space;
  assert.equal(trials, 5);
  assert.throws(() => parseSweepSpace({ ...without, sampler: { optuna: 'TPESampler' } }), /TPESampler needs "trials"/u);
});
