import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { readJobRecord } from '../../src/runs/job.ts';
import { readStoredRun } from '../../src/runs/list.ts';
import { readSweep, readTrialEvents } from '../../src/runs/sweep.ts';
import { compareScores } from '../../src/protocol/halving.ts';
import { readRunRecord } from '../../src/runs/record.ts';
import { stateWithPlace } from '../../src/runs/state.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { allEvents } from '../unit/runs/allEvents.ts';
import { drawTinyDataset } from '../unit/training/tinyDataset.ts';
import { slurmIsMissing, type SlurmCluster, startCluster, until } from './slurmCluster.ts';
import { command, fivecrop, resultOf, smallRun, temporaryFolder } from './trainer.ts';

const missing = slurmIsMissing();
/** Why no file system can be made for a test; undefined where one can. */
function mountProblem(): string | undefined {
  if (missing !== undefined) return missing;
  const place = mkdtempSync(join(tmpdir(), 'fivecrop-mount-'));
  const { status, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'fivecrop', place]);
  if (status === 0) spawnSync('umount', [place]);
  rmSync(place, { recursive: true });
  return status === 0 ? undefined : `no file system can be mounted here${error ? `: ${error.message}` : ''}`;
}

function optunaIsMissing(): string | undefined {
  return spawnSync('optuna', ['--version']).status === 0 ? undefined : 'there is no optuna';
}

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
  /** The same with one that waits once it has taken so many steps, which its checkpoint follows, until `hurries`. */
  async function submitHeld(name: string, steps: number, ...more: readonly string[]) {
    await holds(name, steps);
    const run = await submitSmall(name, more, slowly(name));
    await takesSteps(run, steps);
    return run;
  }
  const holds = (name: string, steps: number) => writeFile(slowFile(name), `hold ${steps}`);
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
  /** One that is held has heard that it is to stop or to pause. */
  const hears = (run: string, what: 'stop' | 'pause') =>
    until(async () => (await allEvents(run)).some((event) => says[what](event)), `${run} heard the ${what}`);

  async function finishesAsUnbroken(run: string) {
    await comesTo(run, 'finished');
    await until(() => Promise.resolve(!existsSync(join(run, 'run.lock'))), `${run} is let go of`);
    assert.deepEqual(await outcome(run), expected);
  }

  test('a submitted run is queued at once, and trained as it would be here, and its end is told', async (t) => {
    const told: string[] = [];
    const server = createServer((request, response) => {
      void text(request).then((body) => told.push(`${request.url ?? ''} ${body}`));
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`;
    const run = await submitSmall("it's $HOME", ['--time', '10', '--cpus', '1', '--webhook', webhook]);
    assert.equal((await readJobRecord(run))?.scheduler, 'slurm');
    await finishesAsUnbroken(run);
    const job = await cluster.command('scontrol', 'show', 'job', await jobOf(run));
    assert.match(job, /TimeLimit=00:10:00/);
    await until(() => Promise.resolve(told.length > 0), 'the end is told');
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^\/secret .*"kind":"run".*"state":"finished"/u);
    for (const file of ['job.json', 'run.json', 'job.log'])
      assert.doesNotMatch(await readFile(join(run, file), 'utf8'), /secret/u);
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
    await holds('array', 3);
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
    const begun = async () => (await Promise.all(runs.map(stepsOf))).filter((steps) => steps >= 3).length;
    await until(async () => (await begun()) === 2, 'two of them train');
    await hurries('array');
    for (const run of runs) await comesTo(run, 'finished');
    const times = await Promise.all(runs.map(timesOf));
    const atOnce = times.map(([start]) => times.filter(([from, to]) => from <= start && start < to).length);
    assert.equal(Math.max(...atOnce), 2);
    for (const run of runs) assert.deepEqual((await outcome(run)).curve, expected.curve);
  });

  test('a run whose time is nearly over saves, goes back into the queue and continues, twice', async () => {
    const run = await submitHeld('limit', 3, '--time', '10', '--signal', '300');
    const job = await jobOf(run);
    const limit = (minutes: number) => cluster.command('scontrol', 'update', `JobId=${job}`, `TimeLimit=${minutes}`);
    // Slurm looks at limits every half a minute: the first time, the same signal by hand, to be quicker.
    await cluster.command('scancel', '--signal=USR2', '--batch', job);
    await hears(run, 'stop');
    await holds('limit', 9);
    await comesTo(run, 'requeued');
    await takesSteps(run, 9);
    // Not before the run has taken a step, however long that took here: what takes none is not put back.
    await limit(6);
    await until(async () => (await allEvents(run)).filter(says.stop).length === 2, 'the second signal is heard');
    await holds('limit', 15);
    await comesTo(run, 'requeued');
    await limit(10);
    await hurries('limit');
    await finishesAsUnbroken(run);
    assert.equal((await readJobRecord(run))?.requeues, 2);
    assert.match(await readFile(join(run, 'job.log'), 'utf8'), /goes back into the queue/u);
  });

  test('a run whose machine fails is lost, and continues when its job is started again', async () => {
    const run = await submitHeld('cut', 6, '--partition', 'n2');
    await cluster.cutNode('n2');
    await comesTo(run, 'lost');
    cluster.startNode('n2');
    await hurries('cut');
    await finishesAsUnbroken(run);
  });

  test('a canceled run saves and stops, and one that waited is lost; each is submitted again', async () => {
    const run = await submitHeld('cancel', 6);
    const waiting = await submitSmall('waits', ['--sbatch-option', '--hold']);
    assert.match((await submit(['resume', run])).stderr, /there is nothing to resume/u);
    assert.match((await submit(['resume', waiting])).stderr, /is PENDING \(JobHeldUser\)/u);
    await cluster.command('scancel', await jobOf(run), await jobOf(waiting));
    await hears(run, 'stop');
    await hurries('cancel');
    await comesTo(run, 'stopped');
    await resume(run);
    await finishesAsUnbroken(run);
    assert.match((await submit(['status', waiting])).stdout, /lost .* is CANCELLED/u);
    await resume(waiting);
    await finishesAsUnbroken(waiting);
  });

  test('a run is paused, continued and stopped through its folder, and one that waits leaves the queue', async () => {
    const run = await submitHeld('ask', 3);
    const waiting = await submitSmall('leaves', ['--sbatch-option', '--hold']);
    await submit(['pause', run]);
    await hears(run, 'pause');
    await holds('ask', 6);
    await comesTo(run, 'paused');
    await resume(run);
    await comesTo(run, 'running');
    await takesSteps(run, 6);
    await submit(['stop', run, waiting]);
    await hears(run, 'stop');
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
    await told('resume', sweep, '--parallel', '2');
    const done = async () => (await readTrialEvents(sweep)).filter(({ event }) => event === 'reached');
    await until(async () => (await done()).length === 3, 'all trials are done');
    assert.equal((await told('status', sweep)).match(/ finished /gu)?.length, 3);
    assert.deepEqual((await outcome(runs[2] ?? '')).curve, expected.curve);
  });

  test('a sweep that halves hands over what comes next; one that was killed goes on with the jobs that are there', async () => {
    const { sweep, args, events } = await rates('halves', { halving: { first: 1, factor: 3 } });
    await holds('halves', 3);
    const first = spawn(process.execPath, [command, 'sweep', ...args], {
      env: { ...process.env, ...cluster.environment, ...slowly('halves') },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => first.once('exit', resolve));
    await until(async () => (await events()).length >= 2, 'two trials have begun');
    const began = (await events()).flatMap((event) => (event.event === 'begun' ? [join(sweep, '..', event.run)] : []));
    for (const run of began) await takesSteps(run, 3);
    first.kill('SIGKILL');
    await ended;
    await hurries('halves');
    const { code, stderr } = await shell(['sweep', 'resume', sweep, '--parallel', '2']);
    assert.equal(code, 0, stderr);
    const reached = (await events()).flatMap((event) => (event.event === 'reached' ? [event] : []));
    const below = reached.filter(({ rung }) => rung === 0).sort((a, b) => a.trial - b.trial);
    assert.deepEqual(
      below.map(({ trial, epochs }) => [trial, epochs]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    );
    const best = [...below].sort(compareScores)[0]?.trial ?? 0;
    const above = reached.filter(({ rung }) => rung === 1);
    assert.deepEqual(
      above.map(({ trial, epochs }) => [trial, epochs]),
      [[best, 3]],
    );
    for (const trial of [1, 2, 3]) {
      const { progress } = await readRunRecord(join(sweep, '..', `rates-${trial}`));
      assert.equal(progress?.epoch, trial === best ? 3 : 1, `epochs of trial ${trial}`);
    }
    if (best === 3) assert.deepEqual((await outcome(join(sweep, '..', 'rates-3'))).curve, expected.curve);
  });

  test('a sweep that is asked to stop stops its jobs', async () => {
    const { sweep, args } = await rates('stops', { halving: { first: 1, factor: 3 } });
    await holds('stops', 3);
    const swept = shell(['sweep', ...args], slowly('stops'));
    const run = join(sweep, '..', 'rates-1');
    await takesSteps(run, 3);
    const stop = await shell(['sweep', 'stop', sweep]);
    assert.equal(stop.code, 0, stop.stderr);
    await hears(run, 'stop');
    await hurries('stops');
    assert.equal((await swept).code, 130);
    assert.equal(await stateIn(run), 'stopped');
    // The process of the job has let go of the run, and ends a moment after that.
    const left = ['--noheader', `--jobs=${await jobOf(run)}`, '--states=RUNNING,PENDING'];
    await until(async () => (await cluster.command('squeue', ...left)) === '', 'its job has ended');
  });

  test('Optuna chooses trials that are jobs by those that have ended', { skip: optunaIsMissing() }, async () => {
    const { sweep, args, events } = await rates('learns', {
      ...{ sampler: { optuna: 'TPESampler', options: { n_startup_trials: 1 } }, trials: 3 },
      learningRate: { log: [0.001, 0.01] },
    });
    const { code, stderr } = await shell(['sweep', ...args]);
    assert.equal(code, 0, stderr);
    assert.equal((await events()).filter(({ event }) => event === 'reached').length, 3);
    const { optuna } = await readSweep(sweep);
    assert.deepEqual(
      optuna?.asked.map(({ told }) => told),
      [true, true, true],
    );
  });

  /** A space of three learning rates, unless `changes` say otherwise, the arguments that submit it, and what becomes of it. */
  async function rates(name: string, changes: object) {
    const { config } = await readRunRecord(join(folder, 'unbroken', 'run'));
    const [file, out] = [join(folder, name, 'rates.fivecrop.json'), join(folder, name, 'runs')];
    await mkdir(join(folder, name));
    await writeFile(
      file,
      JSON.stringify({ ...config, learningRate: [0.00001, 0.0001, 0.003], sampler: 'grid', ...changes }),
    );
    const sweep = join(out, 'rates');
    return {
      sweep,
      args: [file, '--to', 'slurm', '--out', out, '--parallel', '2'],
      events: () => readTrialEvents(sweep),
    };
  }

  test('a run on a disk that is full ends, and goes on when there is room', { skip: mountProblem() }, async (t) => {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    // The run takes 4 MB, and a checkpoint is written beside the one before.
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'fivecrop', disk]);
    t.after(() => promisify(execFile)('umount', ['--lazy', disk]));
    const run = await submitSlow('disk', 1000);
    await takesSteps(run, 4);
    const filler = join(disk, 'filler');
    await assert.rejects(writeFile(filler, Buffer.alloc(16 * 1024 * 1024)), { code: 'ENOSPC' });
    await hurries('disk');
    await until(async () => ['failed', 'lost'].includes(await stateIn(run)), 'the run ended');
    assert.ok((await statfs(disk)).bavail < 16, 'the disk is full');
    await rm(filler);
    await resume(run);
    await finishesAsUnbroken(run);
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

/** Whether an event of a run says that it heard what it is asked for. */
const says = {
  stop: (event: TrainingEvent) => event.event === 'state' && event.state === 'stopping',
  pause: (event: TrainingEvent) => event.event === 'log' && event.message.startsWith('Pausing'),
};

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
