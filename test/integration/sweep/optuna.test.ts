import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { optunaSampler } from '../../../src/ml/cli/optunaSampler.ts';
import { optunaIn, requireOptuna } from '../../../src/ml/sweep/optunaCommand.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { parseSweepSpace, type Sweep, sweepVersion, type TrialEvent } from '../../../src/protocol/sweep.ts';
import { givenConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { readSweep, writeSweep } from '../../../src/runs/sweep.ts';

const folders = (process.env['PATH'] ?? '').split(delimiter);
const skip = folders.every((folder) => !existsSync(join(folder, 'optuna'))) && 'Optuna is not installed';

test('Optuna chooses within the space, and is told how trials did', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop optuna?-'));
  t.after(() => rm(folder, { recursive: true }));
  const space = {
    ...{ data: '/d', network: { kind: 'architecture', name: 'ConvNet1' }, hidden: [[], [8, 4]], seed: 5, trials: 2 },
    ...{ learningRate: { log: [0.001, 0.1] }, warmupSteps: { range: [0, 3] }, sampler: { optuna: 'TPESampler' } },
  };
  const begun: Sweep = { version: sweepVersion, created: '', space, trials: [], optuna: { trials: 2, asked: [] } };
  await writeSweep(folder, begun);
  const { dimensions, fixed, sampler } = parseSweepSpace(space);
  assert.ok(typeof sampler === 'object');
  const planned = (drawn: object) => givenConfigSchema.parse({ ...fixed, ...drawn });
  const optuna = optunaIn(folder);
  const sampling = optunaSampler({ folder, sweep: begun, sampler, dimensions, seed: 5, epochs: 5, planned }, optuna);
  await sampling.choose(1, []);
  const reached: TrialEvent = { event: 'reached', trial: 1, rung: 0, epochs: 5, accuracy: 0.5, loss: 1, time: '' };
  await sampling.finish([reached]);
  const { trials, optuna: told } = await readSweep(folder);
  assert.deepEqual(told?.asked, [{ number: 0, told: true }]);
  assert.equal(trials.length, 1);
  for (const { hidden, learningRate, warmupSteps } of trials) {
    assert.ok(['[]', '[8,4]'].includes(JSON.stringify(hidden)));
    assert.ok(Number(learningRate) >= 0.001 && Number(learningRate) <= 0.1);
    assert.ok(Number.isInteger(warmupSteps) && Number(warmupSteps) >= 0 && Number(warmupSteps) <= 3);
  }
  const best = await optuna(['best-trial', '--storage', 'sqlite:///optuna.db', '--study-name', 'sweep', '-f', 'json']);
  const { number, value } = JSON.parse(best) as { number: number; value: number };
  assert.deepEqual([number, value], [0, 0.5]);
});

test('where Optuna is not installed, a sentence says what to install', async () => {
  const { PATH } = process.env;
  process.env['PATH'] = '/nowhere';
  try {
    await assert.rejects(
      requireOptuna(optunaIn(tmpdir())),
      (error) =>
        error instanceof UserError && error.message.includes('apt install python3-optuna, or pip install optuna'),
    );
  } finally {
    process.env['PATH'] = PATH;
  }
});
