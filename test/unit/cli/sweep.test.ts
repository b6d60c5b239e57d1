import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type LearningSampler, runSweep, type SweepPlan, type SweepWorkers } from '../../../src/ml/cli/runSweep.ts';
import type { RunFailure } from '../../../src/ml/submit/target.ts';
import { cancelled, CancelledError, UserError } from '../../../src/protocol/errors.ts';
import type { TrialEvent } from '../../../src/protocol/sweep.ts';
import { trialStandings } from '../../../src/protocol/sweepStandings.ts';
import { givenConfigSchema, trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { createRunFolder, reopenRunFolder } from '../../../src/runs/runFolder.ts';
import { readTrialEvents, renameTrialRun, requestStop } from '../../../src/runs/sweep.ts';

const environment = { fivecrop: '1', node: '1', platform: 'x', fallbacks: [] };
const settings = { data: '/d', network: { kind: 'architecture', name: 'ConvNet1' }, epochs: 9 };

async function planOf(t: TestContext, trials = 6, changes: Partial<SweepPlan> = {}): Promise<SweepPlan> {
  const out = await mkdtemp(join(tmpdir(), 'fivecrop-sweep-'));
  t.after(() => rm(out, { recursive: true, force: true }));
  const folder = join(out, 'heads');
  await mkdir(folder);
  const config = givenConfigSchema.parse(settings);
  const plan = { folder, name: 'heads', trials: Array.from({ length: trials }, () => config), parallel: 1 };
  return { ...plan, halving: { first: 1, factor: 3 }, ...changes };
}

/** Workers that write the records of runs and train nothing; a trial's accuracy is its number in hundredths and its epochs in thousandths. */
function workers(beforeTraining: (run: string, epochs: number) => void = () => undefined) {
  const trained: string[] = [];
  const heard: TrialEvent[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const made: SweepWorkers = {
    say: () => undefined,
    heard: (event) => void heard.push(event),
    signal: new AbortController().signal,
    train: async ({ folder: place, resumes, untilEpoch: epochs = 9 }, signal) => {
      const run = basename(place);
      beforeTraining(run, epochs);
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 5));
      atOnce--;
      const record = {
        created: '',
        state: 'preparing' as const,
        config: trainingConfigSchema.parse(settings),
        environment,
      };
      const folder = resumes ? await reopenRunFolder(place) : await createRunFolder(dirname(place), run, record);
      if (!signal.aborted) {
        const validAccuracy = Number(/\d+$/u.exec(run)?.[0]) / 100 + epochs / 1000;
        const progress = { step: epochs, totalSteps: 9, epoch: epochs, stepsPerEpoch: 1 };
        const best = { step: epochs, validLoss: 1, validAccuracy };
        await folder.update({ state: epochs === 9 ? 'finished' : 'stopped', progress, best });
        trained.push(`${run} to ${epochs}`);
      } else await folder.update({ state: 'stopped' });
      await folder.close();
      if (signal.aborted) throw cancelled();
      return undefined;
    },
  };
  return { made, trained, heard, mostAtOnce: () => mostAtOnce };
}

/** Every trial is better than those before it, so that the newest of three goes on. */
const expected = [
  ...['heads-1 to 1', 'heads-2 to 1', 'heads-3 to 1', 'heads-3 to 3', 'heads-4 to 1', 'heads-4 to 3'],
  ...['heads-5 to 1', 'heads-5 to 3', 'heads-5 to 9', 'heads-6 to 1', 'heads-6 to 3', 'heads-6 to 9'],
];

test('the trials of a sweep train by halving, and are ranked', async (t) => {
  const plan = await planOf(t);
  const { made, trained } = workers();
  await runSweep(plan, made);
  assert.deepEqual(trained, expected);
  const standings = trialStandings(
    { trials: plan.trials.map(() => ({})) },
    await readTrialEvents(plan.folder),
    [1, 3, 9],
  );
  assert.deepEqual(
    standings.map(({ trial, state, accuracy, epochs }) => [trial, state, accuracy?.toFixed(3), epochs]),
    [
      [6, 'finished', '0.069', 9],
      [5, 'finished', '0.059', 9],
      [4, 'behind', '0.043', 3],
      [3, 'behind', '0.033', 3],
      [2, 'behind', '0.021', 1],
      [1, 'behind', '0.011', 1],
    ],
  );
});

test('a sweep that is broken off anywhere goes on, does nothing twice, and comes to the same', async (t) => {
  for (const broken of [0, 3, 5, 11]) {
    const plan = await planOf(t);
    const first = workers((run, epochs) => {
      if (`${run} to ${epochs}` === expected[broken]) throw new Error('the machine went off');
    });
    await assert.rejects(runSweep(plan, first.made), /went off/u);
    // The process died while it wrote.
    await appendFile(join(plan.folder, 'trials.jsonl'), '{"event":"reac');
    const second = workers();
    await runSweep(plan, second.made);
    assert.deepEqual([...first.trained, ...second.trained], expected);
  }
});

test('a request to stop ends a sweep with its trials saved', async (t) => {
  const { halving, ...plan } = await planOf(t, 3);
  assert.ok(halving);
  const stopping = workers();
  const controller = new AbortController();
  const run = runSweep(plan, {
    ...stopping.made,
    signal: controller.signal,
    train: async (training, signal) => {
      await requestStop(plan.folder);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return stopping.made.train(training, signal);
    },
  });
  await assert.rejects(run, CancelledError);
  const again = workers();
  await runSweep(plan, again.made);
  assert.deepEqual(again.trained, ['heads-1 to 9', 'heads-2 to 9', 'heads-3 to 9']);
});

test('so many trials train at the same time as were asked for', async (t) => {
  const plan = await planOf(t, 7, { parallel: 3 });
  const { made, trained, mostAtOnce } = workers();
  let letGo = (): void => undefined;
  const three = new Promise<void>((resolve) => (letGo = resolve));
  let begun = 0;
  const train: SweepWorkers['train'] = async (...training) => {
    if (++begun === 3) letGo();
    // None ends before three have begun.
    await three;
    return made.train(...training);
  };
  await runSweep(plan, { ...made, train });
  assert.equal(mostAtOnce(), 3);
  assert.equal(trained.filter((line) => line.endsWith('to 1')).length, 7);
});

test('a trial that fails, or has settings that contradict each other, is noted and the others go on', async (t) => {
  const plan = await planOf(t, 3);
  const { made } = workers();
  const trials = [...plan.trials.slice(0, 2), { problem: 'momentum is of SGD.' }];
  const train: SweepWorkers['train'] = (training, signal) =>
    basename(training.folder) === 'heads-1'
      ? Promise.resolve({ reason: 'its images are gone.' })
      : made.train(training, signal);
  await runSweep({ ...plan, trials }, { ...made, train });
  const failed = (await readTrialEvents(plan.folder)).filter((event) => event.event === 'failed');
  assert.deepEqual(
    failed.map(({ trial, reason, cause }) => [trial, reason, cause]),
    [
      [1, 'its images are gone.', undefined],
      [3, 'momentum is of SGD.', 'settings'],
    ],
  );
});

test('a resume tries trials again that failed in passing, others if asked for, and none that would fail again', async (t) => {
  const { halving, ...plan } = await planOf(t, 5);
  assert.ok(halving);
  const { made, trained } = workers();
  const causes: Readonly<Record<string, RunFailure['cause']>> = { 'heads-1': 'passing', 'heads-3': 'settings' };
  const failing = ['heads-1', 'heads-2', 'heads-3', 'heads-5'];
  const train: SweepWorkers['train'] = async (training, signal) => {
    const run = basename(training.folder);
    if (!failing.includes(run)) return made.train(training, signal);
    if (run !== 'heads-5') return { reason: 'it failed.', ...(causes[run] ? { cause: causes[run] } : {}) };
    // Its record says that the disk was full.
    await made.train(training, signal);
    trained.pop();
    const folder = await reopenRunFolder(training.folder);
    const progress = { step: 4, totalSteps: 9, epoch: 4, stepsPerEpoch: 1 };
    await folder.update({ state: 'failed', progress, failedBy: 'disk' });
    await folder.close();
    return { reason: 'The disk is full.' };
  };
  await runSweep(plan, { ...made, train });
  assert.deepEqual(trained.splice(0), ['heads-4 to 9']);
  await runSweep(plan, made);
  assert.deepEqual(trained.splice(0), ['heads-1 to 9', 'heads-5 to 9']);
  await runSweep(plan, made);
  assert.deepEqual(trained, []);
  await runSweep({ ...plan, retriesFailed: true }, made);
  assert.deepEqual(trained, ['heads-2 to 9']);
  const standings = trialStandings({ trials: plan.trials.map(() => ({})) }, await readTrialEvents(plan.folder), [9]);
  assert.deepEqual(
    standings.map(({ trial, state }) => [trial, state]),
    [
      [5, 'finished'],
      [4, 'finished'],
      [2, 'finished'],
      [1, 'finished'],
      [3, 'failed'],
    ],
  );
});

test('the run of a trial can be renamed, but not while the sweep is at work, and goes on under its new name', async (t) => {
  const plan = await planOf(t, 3);
  const names = { before: 'heads-3', after: 'best-3' };
  const out = dirname(plan.folder);
  const move = () => rename(join(out, names.before), join(out, names.after));
  const first = workers((run, epochs) => {
    if (`${run} to ${epochs}` === 'heads-3 to 3') throw new Error('the machine went off');
  });
  const train: SweepWorkers['train'] = async (training, signal) => {
    await assert.rejects(renameTrialRun(plan.folder, names, move), /heads is at work/u);
    return first.made.train(training, signal);
  };
  await assert.rejects(runSweep(plan, { ...first.made, train }), /went off/u);
  await renameTrialRun(plan.folder, names, move);
  const second = workers();
  await runSweep(plan, second.made);
  assert.deepEqual(second.trained, ['best-3 to 3', 'best-3 to 9']);
  const events = await readTrialEvents(plan.folder);
  assert.ok(events.every((event) => event.event !== 'begun' || event.trial !== 3 || event.run === 'best-3'));
});

test('a run that was in the place of a trial is left as it is, and the other trials go on', async (t) => {
  const plan = await planOf(t, 2);
  const { made, trained } = workers();
  const record = { created: '', state: 'stopped' as const, config: trainingConfigSchema.parse(settings), environment };
  await (await createRunFolder(dirname(plan.folder), 'heads-1', record)).close();
  await runSweep(plan, made);
  assert.ok(trained.every((line) => line.startsWith('heads-2')));
  const [failed] = (await readTrialEvents(plan.folder)).filter((event) => event.event === 'failed');
  assert.match(failed?.reason ?? '', /heads-1 was there before the trial began/u);
});

test('a trial that was stopped before its last validation is trained on until it has that', async (t) => {
  const plan = await planOf(t, 1);
  const stopping = workers();
  const train: SweepWorkers['train'] = async (training, signal) => {
    await stopping.made.train(training, signal);
    const folder = await reopenRunFolder(join(dirname(plan.folder), 'heads-1'));
    await folder.update({ best: undefined });
    await folder.close();
    throw cancelled();
  };
  await assert.rejects(runSweep(plan, { ...stopping.made, train }), CancelledError);
  const again = workers();
  await runSweep(plan, again.made);
  assert.deepEqual(again.trained, ['heads-1 to 1', 'heads-1 to 3', 'heads-1 to 9']);
  const [reached] = (await readTrialEvents(plan.folder)).filter((event) => event.event === 'reached');
  assert.equal(reached?.epochs, 1);
});

test('a sweep that was renamed goes on with the runs that it has', async (t) => {
  const plan = await planOf(t, 3);
  const first = workers((run, epochs) => {
    if (`${run} to ${epochs}` === 'heads-3 to 3') throw new Error('the machine went off');
  });
  await assert.rejects(runSweep(plan, first.made), /went off/u);
  const folder = join(dirname(plan.folder), 'tails');
  await rename(plan.folder, folder);
  const second = workers();
  await runSweep({ ...plan, folder, name: 'tails' }, second.made);
  assert.deepEqual(second.trained, ['heads-3 to 3', 'heads-3 to 9']);
});

test('a sweep that runs is not run a second time', async (t) => {
  const plan = await planOf(t, 1);
  const { made } = workers();
  let second: Promise<void> | undefined;
  await runSweep(plan, {
    ...made,
    train: async (training, signal) => {
      second = runSweep(plan, made);
      await assert.rejects(
        second,
        (error) => error instanceof UserError && error.message.includes('Another process runs'),
      );
      return made.train(training, signal);
    },
  });
  assert.ok(second);
  assert.ok((await readFile(join(plan.folder, 'trials.jsonl'), 'utf8')).includes('reached'));
});

test('each trial has a card of its own while it trains, and the next one gets it then', async (t) => {
  const cards = ['GPU-a', 'GPU-b'];
  const plan = await planOf(t, 5, { parallel: 2, cards });
  const { made, trained } = workers();
  const busy = new Set<string>();
  const used = new Set<string>();
  await runSweep(plan, {
    ...made,
    train: async (training, signal, card = '') => {
      assert.ok(cards.includes(card) && !busy.has(card), `${card} is free`);
      busy.add(card);
      used.add(card);
      if (basename(training.folder) === 'heads-2') {
        busy.delete(card);
        return { reason: 'it fails.' };
      }
      return made.train(training, signal).finally(() => busy.delete(card));
    },
  });
  assert.deepEqual([...used].sort(), cards);
  assert.equal(trained.filter((line) => line.endsWith('to 1')).length, 4);
});

test('a sampler that learns chooses each trial when it begins, with the scores of those before', async (t) => {
  const { halving, ...plan } = await planOf(t, 3);
  assert.ok(halving);
  const { made, trained } = workers();
  const seen: number[] = [];
  let finished = 0;
  const config = plan.trials[0];
  const sampler: LearningSampler = {
    ...{ trials: 3, epochs: 9 },
    known: (trial) => (trial <= seen.length ? config : undefined),
    drawn: () => ({}),
    choose: (_, events) => {
      seen.push(events.filter(({ event }) => event === 'reached').length);
      return Promise.resolve();
    },
    finish: (events) => {
      finished = events.filter(({ event }) => event === 'reached').length;
      return Promise.resolve();
    },
  };
  await runSweep({ ...plan, trials: [], sampler }, made);
  assert.deepEqual(trained, ['heads-1 to 9', 'heads-2 to 9', 'heads-3 to 9']);
  assert.deepEqual(seen, [0, 1, 2]);
  assert.equal(finished, 3);
});
