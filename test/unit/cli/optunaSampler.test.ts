import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { optunaSampler } from '../../../src/ml/cli/optunaSampler.ts';
import type { OptunaCommand } from '../../../src/ml/sweep/optunaCommand.ts';
import { parseSweepSpace, type Sweep, sweepVersion, type TrialEvent } from '../../../src/protocol/sweep.ts';
import { givenConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { readSweep, writeSweep } from '../../../src/runs/sweep.ts';

const space = {
  ...{ data: '/d', network: { kind: 'architecture', name: 'ConvNet1' }, hidden: [[], [8], [16]] },
  ...{ learningRate: { log: [0.001, 0.1] }, trials: 9, seed: 5 },
  sampler: { optuna: 'TPESampler', options: { n_startup_trials: 2 } },
};

/** Optuna's command with a database in memory: its n-th trial takes the n-th choice. */
function imitation() {
  const trials: string[] = [];
  const calls: (readonly string[])[] = [];
  const valueOf = (args: readonly string[], name: string) => args[args.indexOf(name) + 1] ?? '';
  const command: OptunaCommand = (args) => {
    calls.push(args);
    if (args[0] === 'ask') {
      const number = trials.push('running') - 1;
      const { hidden } = JSON.parse(valueOf(args, '--search-space')) as {
        hidden: { attributes: { choices: string[] } };
      };
      const params = { hidden: hidden.attributes.choices[number % 3], learningRate: 0.01 };
      return Promise.resolve(`${JSON.stringify({ number, params })}\n`);
    }
    if (args[0] === 'tell') {
      const number = Number(valueOf(args, '--trial-number'));
      const values = args.includes('--values') ? ` ${valueOf(args, '--values')}` : '';
      assert.ok(number < trials.length, 'a trial that there is');
      if (trials[number] === 'running') trials[number] = `${valueOf(args, '--state')}${values}`;
      else assert.ok(args.includes('--skip-if-finished'));
    }
    return Promise.resolve('');
  };
  return { command, trials, calls };
}

async function newSweep(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-optuna-'));
  t.after(() => rm(folder, { recursive: true }));
  const sweep: Sweep = {
    ...{ version: sweepVersion, created: '', space, trials: [], optuna: { trials: 9, asked: [] } },
  };
  await writeSweep(folder, sweep);
  return folder;
}

/** The sampler of a process that begins or continues the sweep in a folder. */
async function samplerIn(folder: string, command: OptunaCommand) {
  const sweep = await readSweep(folder);
  const parsed = parseSweepSpace(sweep.space);
  const { sampler } = parsed;
  assert.ok(typeof sampler === 'object');
  const planned = (drawn: object) => givenConfigSchema.parse({ ...parsed.fixed, ...drawn });
  return optunaSampler({ ...parsed, folder, sweep, sampler, epochs: 5, planned }, command);
}

const reached = (trial: number, accuracy: number, rung = 0): TrialEvent => ({
  ...{ event: 'reached', trial, rung, epochs: 1, accuracy, loss: 1, time: '' },
});
const failed = (trial: number): TrialEvent => ({ event: 'failed', trial, rung: 0, reason: 'No.', time: '' });

test('a trial is asked for when it begins, and how those before it did is told before', async (t) => {
  const folder = await newSweep(t);
  const { command, trials, calls } = imitation();
  const sampler = await samplerIn(folder, command);
  await sampler.choose(1, []);
  const first = sampler.known(1);
  assert.ok(first && !('problem' in first));
  assert.deepEqual(first.hidden, []);
  await sampler.choose(2, [reached(1, 0.5)]);
  await sampler.choose(3, [reached(1, 0.5), failed(2)]);
  assert.deepEqual(trials, ['complete 0.5', 'fail', 'running']);
  assert.deepEqual(sampler.drawn(3), { hidden: [16], learningRate: 0.01 });
  assert.deepEqual(
    calls.map(([name]) => name),
    ['create-study', 'ask', 'tell', 'ask', 'tell', 'ask'],
  );
  await sampler.finish([reached(1, 0.5), failed(2), reached(3, 0.7)]);
  assert.deepEqual(trials, ['complete 0.5', 'fail', 'complete 0.7']);
});

test('a trial that goes on, and may fail then, is told by what it had where all are compared', async (t) => {
  const folder = await newSweep(t);
  const { command, trials } = imitation();
  const sampler = await samplerIn(folder, command);
  await sampler.choose(1, []);
  await sampler.finish([reached(1, 0.5), reached(1, 0.9, 1), { ...failed(1), rung: 2 }]);
  assert.deepEqual(trials, ['complete 0.5']);
});

test('each question has a seed of its own, and trials that run count', async (t) => {
  const folder = await newSweep(t);
  const { command, calls } = imitation();
  const sampler = await samplerIn(folder, command);
  await Promise.all([1, 2, 3].map((trial) => sampler.choose(trial, [])));
  const options = calls
    .filter(([name]) => name === 'ask')
    .map((args) => JSON.parse(args[args.indexOf('--sampler-kwargs') + 1] ?? '') as object);
  assert.deepEqual(
    options,
    [5, 6, 7].map((seed) => ({ seed, constant_liar: true, n_startup_trials: 2 })),
  );
});

test('what a killed process asked for, or did not tell any more, is made up for by the next', async (t) => {
  const folder = await newSweep(t);
  const { command, trials, calls } = imitation();
  const before = await samplerIn(folder, command);
  await before.choose(1, []);
  const after = await samplerIn(folder, command);
  // Asked for, and killed before it was noted.
  await command(calls.find(([name]) => name === 'ask') ?? []);
  assert.deepEqual(after.drawn(1), { hidden: [], learningRate: 0.01 });
  await after.choose(1, []);
  assert.deepEqual(trials, ['running', 'running'], 'a trial that is known is not asked for again');
  await after.choose(2, [reached(1, 0.5)]);
  assert.deepEqual(trials, ['complete 0.5', 'fail', 'running']);
  const last = await samplerIn(folder, command);
  const told = calls.length;
  await last.finish([reached(1, 0.5), reached(2, 0.6)]);
  assert.deepEqual(trials, ['complete 0.5', 'fail', 'complete 0.6']);
  assert.deepEqual(calls.slice(told).map(([name]) => name), ['create-study', 'tell']); // prettier-ignore
});

test('a question that failed moves no settings to another trial', async (t) => {
  const folder = await newSweep(t);
  const { command } = imitation();
  let fails = true;
  const sampler = await samplerIn(folder, (args) => {
    if (args[0] !== 'ask' || !fails) return command(args);
    fails = false;
    return Promise.reject(new Error('database is locked'));
  });
  const [first, second] = await Promise.allSettled([1, 2].map((trial) => sampler.choose(trial, [])));
  assert.deepEqual([first?.status, second?.status], ['rejected', 'fulfilled']);
  assert.deepEqual(
    [1, 2].map(sampler.drawn),
    [[], [8]].map((hidden) => ({ hidden, learningRate: 0.01 })),
  );
});

test('a database that is not the one of the sweep is refused', async (t) => {
  const folder = await newSweep(t);
  await (await samplerIn(folder, imitation().command)).choose(1, []);
  const other = await samplerIn(folder, imitation().command);
  await assert.rejects(other.choose(2, []), /optuna\.db in .* is not the one that this sweep began with/u);
});

test('an answer that is no trial of the space is refused', async (t) => {
  const folder = await newSweep(t);
  for (const answer of ['', 'nothing', '{"number":0,"params":{"hidden":"[9]","learningRate":0.01}}']) {
    const sampler = await samplerIn(folder, () => Promise.resolve(answer));
    await assert.rejects(sampler.choose(1, []), /answered what is no trial of this space/u);
  }
});
