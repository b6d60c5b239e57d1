import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { readJobRecord } from '../../src/runs/job.ts';
import { readStoredRun } from '../../src/runs/list.ts';
import { readTrialEvents } from '../../src/runs/sweep.ts';
import { readRunRecord } from '../../src/runs/record.ts';
import { stateWithPlace } from '../../src/runs/state.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { allEvents } from '../unit/runs/allEvents.ts';
import { drawTinyDataset } from '../unit/training/tinyDataset.ts';
import { slurmIsMissing, type SlurmCluster, startCluster, until } from './slurmCluster.ts';
import { command, fivecrop, resultOf, smallRun, temporaryFolder } from './trainer.ts';

const missing = slurmIsMissing();
const preload = (name: string) => `--import=${pathToFileURL(join(import.meta.dirname, name)).href}`;

describe('runs on a cluster of Slurm', { skip: missing, concurrency: true }, () => {
  let folder: string;
  let data: string;
  let cluster: SlurmCluster;
  let started: Promise<SlurmCluster> | undefined;
  let expected: Awaited<ReturnType<typeof outcome>>;

  before(async () => {
    folder = await temporaryFolder();
    data = await drawTinyDataset(folder);
    const out = join(folder, 'unbroken');
    started = startCluster(join(folder, 'cluster'), ['n1', 'n2']);
    const [{ code, stderr }] = await Promise.all([fivecrop(smallRun(data, out)), started]);
    assert.equal(code, 0, stderr);
    expected = await outcome(join(out, 'run'));
    cluster = await started;
  });
  after(async () => {
    // Also where the run before it failed.
    await started?.then(
      ({ end }) => end(),
      () => undefined,
    );
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  /** Runs `fivecrop` as a user of the cluster, whose jobs have the same environment. */
  const submit = (args: readonly string[], environment?: Readonly<Record<string, string>>) =>
    shell(['submit', ...args], environment);

  async function shell(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const env = { ...process.env, NODE_OPTIONS: '', ...cluster.environment, ...environment };
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, [command, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  }

  const slowFile = (name: string) => join(folder, `${name}.slow`);
  const slowly = (name: string) => ({ NODE_OPTIONS: preload('slowSteps.mjs'), FIVECROP_SLOW: slowFile(name) });

  /** Submits a small run named `run` into a folder of its own, and returns its folder. */
  async function submitSmall(name: string, more: readonly string[] = [], environment = {}) {
    const out = join(folder, name);
    const [, ...args] = smallRun(data, out, '--to', 'slurm', ...more);
    const { code, stderr } = await submit(args, environment);
    assert.equal(code, 0, stderr);
    return join(out, 'run');
  }

  /** The same with one that sleeps for so many milliseconds at each of its events, until `hurries`. */
  async function submitSlow(name: string, milliseconds: number, ...more: readonly string[]) {
    await writeFile(slowFile(name), String(milliseconds));
    return submitSmall(name, more, slowly(name));
  }
  const hurries = (name: string) => rm(slowFile(name));

  async function resume(run: string, ...more: readonly string[]) {
    const { code, stderr } = await submit(['resume', run, ...more]);
    assert.equal(code, 0, stderr);
  }

  const jobOf = async (run: string) => (await readJobRecord(run))?.job ?? '';
  const stateIn = async (run: string) => stateWithPlace(await readStoredRun(run));
  const comesTo = (run: string, state: string) =>
    until(async () => (await stateIn(run)) === state, `${run} is ${state}`).catch(async (error: unknown) => {
      throw new Error(`${String(error)}, but ${await stateIn(run)}\n${await cluster.logs()}`);
    });
  const takesSteps = (run: string, steps: number) =>
    until(async () => (await stepsOf(run)) >= steps, `${run} took ${steps} steps`);

  async function finishesAsUnbroken(run: string) {
    await comesTo(run, 'finished');
    await until(() => Promise.resolve(!existsSync(join(run, 'run.lock'))), `${run} is let go of`);
    assert.deepEqual(await outcome(run), expected);
  }

  test('a submitted run is queued at once, and trained as it would be here', async () => {
    const run = await submitSmall("it's $HOME", ['--time', '10', '--cpus', '1']);
    assert.equal((await readJobRecord(run))?.scheduler, 'slurm');
    await finishesAsUnbroken(run);
    assert.match(await cluster.command('scontrol', 'show', 'job', await jobOf(run)), /TimeLimit=00:10:00/);
  });

  test('what Slurm refuses leaves nothing behind, and is said in its words', async () => {
    const out = join(folder, 'refused');
    const [, ...args] = smallRun(data, out, '--to', 'slurm', '--partition', 'nowhere');
    const { code, stderr } = await submit(args);
    assert.equal(code, 1);
    assert.match(stderr, /^fivecrop: sbatch failed: .*[Ii]nvalid partition/u);
    assert.deepEqual(await readdir(out), []);
  });

  test('four runs are one array, of which two train at a time', async () => {
    const { config } = await readRunRecord(join(folder, 'unbroken', 'run'));
    const [settings, out] = [join(folder, 'settings'), join(folder, 'array')];
    await mkdir(settings);
    const names = ['a', 'b', 'c', 'd'];
    const files = names.map((name) => join(settings, `${name}.fivecrop.json`));
    for (const file of files) await writeFile(file, JSON.stringify(config));
    await writeFile(slowFile('array'), '20');
    const wanted = [...files, '--to', 'slurm', '--parallel', '2', '--out', out];
    const { code, stderr } = await submit(wanted, slowly('array'));
    assert.equal(code, 0, stderr);
    const runs = names.map((name) => join(out, name));
    const jobs = await Promise.all(runs.map(jobOf));
    const [array = ''] = jobs[0]?.split('_') ?? [];
    assert.deepEqual(
      jobs,
      [1, 2, 3, 4].map((task) => `${array}_${task}`),
    );
    for (const run of runs) await comesTo(run, 'finished');
    const times = await Promise.all(runs.map(timesOf));
    const atOnce = times.map(([start]) => times.filter(([from, to]) => from <= start && start < to).length);
    assert.equal(Math.max(...atOnce), 2);
    for (const run of runs) assert.deepEqual((await outcome(run)).curve, expected.curve);
  });

  test('a run whose time is nearly over saves, goes back into the queue and continues, twice', async () => {
    // Slurm looks at limits every half a minute.
    const run = await submitSlow('limit', 1500, '--time', '1', '--signal', '55');
    await comesTo(run, 'requeued');
    await writeFile(slowFile('limit'), '300');
    await comesTo(run, 'running');
    // The same signal by hand, to be quicker.
    await takesSteps(run, ((await readRunRecord(run)).progress?.step ?? 0) + 1);
    await cluster.command('scancel', '--signal=USR2', '--batch', await jobOf(run));
    await comesTo(run, 'requeued');
    await hurries('limit');
    await finishesAsUnbroken(run);
    assert.equal((await readJobRecord(run))?.requeues, 2);
    assert.match(await readFile(join(run, 'job.log'), 'utf8'), /goes back into the queue/u);
  });

  test('a run whose machine fails is lost, and continues when its job is started again', async () => {
    const run = await submitSlow('cut', 200, '--partition', 'n2');
    await takesSteps(run, 4);
    await cluster.cutNode('n2');
    await comesTo(run, 'lost');
    cluster.startNode('n2');
    await hurries('cut');
    await finishesAsUnbroken(run);
  });

  test('a canceled run saves and stops, and one that waited is lost; each is submitted again', async () => {
    const run = await submitSlow('cancel', 200);
    const waiting = await submitSmall('waits', ['--sbatch-option', '--hold']);
    await takesSteps(run, 4);
    assert.match((await submit(['resume', run])).stderr, /there is nothing to resume/u);
    assert.match((await submit(['resume', waiting])).stderr, /is PENDING \(JobHeldUser\)/u);
    await cluster.command('scancel', await jobOf(run), await jobOf(waiting));
    await comesTo(run, 'stopped');
    await hurries('cancel');
    await resume(run);
    await finishesAsUnbroken(run);
    assert.match((await submit(['status', waiting])).stdout, /lost .* is CANCELLED/u);
    await resume(waiting);
    await finishesAsUnbroken(waiting);
  });

  test('a run is paused, continued and stopped through its folder, and one that waits leaves the queue', async () => {
    const run = await submitSlow('ask', 400);
    const waiting = await submitSmall('leaves', ['--sbatch-option', '--hold']);
    await takesSteps(run, 2);
    await submit(['pause', run]);
    await comesTo(run, 'paused');
    await resume(run);
    await comesTo(run, 'running');
    await submit(['stop', run, waiting]);
    await hurries('ask');
    await comesTo(run, 'stopped');
    await comesTo(waiting, 'stopped');
    assert.equal(await cluster.command('squeue', '--noheader', `--jobs=${await jobOf(waiting)}`), '');
    await resume(run);
    await finishesAsUnbroken(run);
  });

  test('the trials of a sweep are tasks of an array, which can be stopped and submitted again', async () => {
    const { config } = await readRunRecord(join(folder, 'unbroken', 'run'));
    const space = { ...config, learningRate: [0.01, 0.001, 0.003], sampler: 'grid' };
    const [file, out] = [join(folder, 'rates.fivecrop.json'), join(folder, 'sweep')];
    await writeFile(file, JSON.stringify(space));
    const sweep = join(out, 'rates');
    const told = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await shell(['sweep', ...args]);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await told(file, '--to', 'slurm', '--out', out, '--sbatch-option', '--hold');
    assert.equal((await told('status', sweep)).match(/ queued /gu)?.length, 3);
    await told('stop', sweep);
    const runs = [1, 2, 3].map((trial) => join(out, `rates-${trial}`));
    assert.deepEqual(await Promise.all(runs.map(stateIn)), ['stopped', 'stopped', 'stopped']);
    await told('resume', sweep, '--to', 'slurm', '--parallel', '2');
    const done = async () => (await readTrialEvents(sweep)).filter(({ event }) => event === 'reached');
    await until(async () => (await done()).length === 3, 'all trials are done');
    assert.equal((await told('status', sweep)).match(/ finished /gu)?.length, 3);
    assert.deepEqual((await outcome(runs[2] ?? '')).curve, expected.curve);
  });

  test('a run that fills the disk fails with a sentence, and is submitted again', async () => {
    const fault = {
      FIVECROP_FAULT_FOLDER: join(folder, 'full'),
      FIVECROP_FAULT_AT: '60',
      FIVECROP_FAULT_KIND: 'ENOSPC',
    };
    const run = await submitSmall('full', [], { ...fault, NODE_OPTIONS: preload('failAt.mjs') });
    await until(async () => ['failed', 'lost'].includes(await stateIn(run)), 'the run failed');
    await resume(run);
    await finishesAsUnbroken(run);
  });
});

/** When a run began to train and when it was done, in milliseconds since 1970. */
async function timesOf(run: string): Promise<readonly [number, number]> {
  const timeOf = (event: TrainingEvent | undefined) => Date.parse(event?.time ?? '');
  const events = await allEvents(run);
  return [
    timeOf(events.find(({ event }) => event === 'start')),
    timeOf(events.findLast(({ event }) => event === 'done')),
  ];
}

/** All of a run that has to be as it is without a cluster. */
async function outcome(run: string) {
  const { files, ...rest } = await resultOf(run);
  return { ...rest, files: files.filter((file) => file !== 'job.json' && file !== 'job.log') };
}

async function stepsOf(run: string): Promise<number> {
  return Math.max(0, ...(await allEvents(run)).map((event) => (event.event === 'step' ? event.step : 0)));
}
