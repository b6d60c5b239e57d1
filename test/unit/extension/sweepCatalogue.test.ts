import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createSweepCatalogue, runsOf } from '../../../src/extension/trainer/sweepCatalogue.ts';
import { createSweepSession } from '../../../src/extension/panels/sweepSession.ts';
import { type Sweep, sweepFiles } from '../../../src/protocol/sweep.ts';
import { sweepPanelToPageSchema, type SweepPanelToPage } from '../../../src/protocol/sweepPanel.ts';
import { writeJobRecord } from '../../../src/runs/job.ts';
import { tryLock } from '../../../src/runs/lock.ts';
import { thisProcess } from '../../../src/runs/owner.ts';
import { readStoredRun } from '../../../src/runs/list.ts';
import { readStoredSweep } from '../../../src/runs/storedSweep.ts';
import { readRunRecord, writeRunRecord } from '../../../src/runs/record.ts';
import { openTrialLog, readSweep, renameTrialRun, requestStop, writeSweep } from '../../../src/runs/sweep.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

const space = {
  ...{ data: '/d', network: { kind: 'architecture', name: 'resnet18' }, epochs: 3 },
  ...{ learningRate: { log: [0.0001, 0.1] }, sampler: 'random', halving: { first: 1, factor: 2 } },
};

async function makeSweep(parent: string, name: string, trials: number, created = '2026-01-01T00:00:00.000Z') {
  const folder = join(parent, name);
  await mkdir(folder);
  const settings = Array.from({ length: trials }, (_, index) => ({ learningRate: 0.001 * (index + 1) }));
  const sweep: Sweep = { version: 1, created, space: { ...space, trials }, trials: settings };
  await writeSweep(folder, sweep);
  return folder;
}

/** Notes that a trial trained to a rung; without an accuracy it only began. */
async function note(folder: string, trial: number, rung: number, accuracy?: number): Promise<void> {
  const log = await openTrialLog(folder);
  await log.add({ event: 'begun', trial, rung, run: `${basename(folder)}-${trial}` });
  if (accuracy !== undefined) await log.add({ event: 'reached', trial, rung, epochs: rung + 1, accuracy, loss: 1 });
  await log.close();
}

const dead = { ...thisProcess(), pid: 0x7fff_ffff, token: '3f0e7a52-6f0b-4a7e-9d1c-0b6a3f0c2d11' };

test('a sweep runs while its lock is held, then is stopped, interrupted or finished', async (t) => {
  const folder = await makeSweep(await temporaryFolder(t), 'heads', 2);
  const state = async () => (await readStoredSweep(folder)).state;
  assert.equal(await state(), 'stopped');
  const lock = await tryLock(join(folder, sweepFiles.lock));
  assert.equal(await state(), 'running');
  await requestStop(folder);
  assert.equal(await state(), 'stopping');
  await lock?.release();
  await rm(join(folder, sweepFiles.stop));
  await writeFile(join(folder, sweepFiles.lock), JSON.stringify(dead));
  assert.equal(await state(), 'broken off');
  await note(folder, 1, 0, 0.5);
  await note(folder, 2, 0, 0.6);
  assert.equal(await state(), 'broken off', 'the better trial has to go on');
  for (const rung of [1, 2]) await note(folder, 2, rung, 0.7);
  assert.equal(await state(), 'finished');
});

test('a sweep whose trials are jobs runs as long as one of them waits or trains', async (t) => {
  const parent = await temporaryFolder(t);
  const folder = await makeSweep(parent, 'heads', 2);
  const { halving, ...plain } = space;
  assert.ok(halving);
  const sweep = await readSweep(folder);
  await writeSweep(folder, { ...sweep, space: { ...plain, trials: 2 } });
  await note(folder, 1, 0);
  const run = await writeRun(parent, 'heads-1', { state: 'preparing' });
  await writeJobRecord(run, { version: 1, scheduler: 'slurm', job: '12_1', submitted: '2026-01-01' });
  const state = async () => (await readStoredSweep(folder)).state;
  assert.equal(await state(), 'running');
  await writeSweep(folder, sweep);
  assert.equal(await state(), 'stopped', 'where it halves, somebody has to hand over what comes next');
  await writeSweep(folder, { ...sweep, space: { ...plain, trials: 2 } });
  await writeRunRecord(run, { ...(await readRunRecord(run)), state: 'stopped' });
  assert.equal(await state(), 'stopped');
});

test('a run of a trial that was renamed is known by its new name alone', async (t) => {
  const parent = await temporaryFolder(t);
  const folder = await makeSweep(parent, 'heads', 2);
  await note(folder, 1, 0, 0.5);
  const catalogue = createSweepCatalogue();
  await catalogue.scan([parent]);
  await renameTrialRun(folder, { before: 'heads-1', after: 'roses' }, () => Promise.resolve());
  assert.equal(await catalogue.read(folder), true);
  assert.equal(catalogue.ofRun(join(parent, 'roses'))?.folder, folder);
  assert.equal(catalogue.ofRun(join(parent, 'heads-1')), undefined);
});

test('sweeps are listed with the runs of their trials, and what vanishes goes', async (t) => {
  const parent = await temporaryFolder(t);
  const older = await makeSweep(parent, 'older', 3);
  const newer = await makeSweep(parent, 'newer', 2, '2026-01-02T00:00:00.000Z');
  await writeRun(parent, 'own');
  const catalogue = createSweepCatalogue();
  assert.deepEqual([...(await catalogue.scan([parent]))].sort(), [newer, older]);
  assert.deepEqual(
    catalogue.sweeps().map(({ folder }) => folder),
    [newer, older],
  );
  assert.deepEqual(await catalogue.scan([parent]), []);
  await note(older, 1, 0, 0.5);
  await note(older, 2, 0, 0.75);
  assert.equal(await catalogue.read(older), true);
  assert.equal(await catalogue.read(older), false);
  const sweep = catalogue.get(older);
  assert.ok(sweep);
  assert.deepEqual(runsOf(sweep), [join(parent, 'older-2'), join(parent, 'older-1')]);
  assert.equal(catalogue.ofRun(join(parent, 'older-1')), sweep);
  assert.equal(catalogue.ofRun(join(parent, 'own')), undefined);
  await writeFile(join(newer, sweepFiles.record), '{"version":99}');
  assert.equal(await catalogue.read(newer), true);
  assert.deepEqual(
    catalogue.unreadable().map(({ folder }) => folder),
    [newer],
  );
  await rename(older, join(parent, '.gone'));
  await rm(newer, { recursive: true });
  assert.deepEqual([...(await catalogue.scan([parent]))].sort(), [newer, older]);
  assert.deepEqual([catalogue.sweeps(), catalogue.unreadable()], [[], []]);
  assert.equal(catalogue.ofRun(join(parent, 'older-1')), undefined);
});

async function sessionOf(t: TestContext, trials: number) {
  const parent = await temporaryFolder(t);
  const folder = await makeSweep(parent, 'heads', trials);
  await note(folder, 1, 0, 0.5);
  await note(folder, 2, 0);
  const run = await readStoredRun(await writeRun(parent, 'heads-1'));
  const known = { sweep: await readStoredSweep(folder) };
  const posted: SweepPanelToPage[] = [];
  const session = createSweepSession(
    { sweep: () => known.sweep, run: (path) => (path === run.folder ? run : undefined) },
    (message) => void posted.push(sweepPanelToPageSchema.parse(message)),
  );
  t.after(session.dispose);
  return { folder, known, posted, session, runFolder: run.folder };
}

test('a page that begins gets the whole sweep, and then only the trials that changed, gathered', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { folder, known, posted, session } = await sessionOf(t, 200);
  session.replay();
  assert.deepEqual(
    posted.map(({ type }) => type),
    ['sweep', 'trials'],
  );
  const [, all] = posted.splice(0);
  assert.ok(all?.type === 'trials');
  assert.equal(all.trials.length, 200);
  assert.deepEqual(
    all.trials.flatMap(({ run }) => run ?? []),
    ['heads-1'],
    'a run that is not there is no link',
  );
  for (let trial = 3; trial <= 40; trial++) {
    await note(folder, trial, 0, trial / 100);
    known.sweep = await readStoredSweep(folder, known.sweep);
    session.refresh();
  }
  assert.equal(posted.length, 0);
  t.mock.timers.tick(1000);
  assert.deepEqual(
    posted.map((message) => (message.type === 'trials' ? message.trials.length : message.type)),
    [38],
  );
  session.refresh();
  t.mock.timers.tick(1000);
  assert.equal(posted.length, 1);
});

test('a page opens runs of its own sweep only', async (t) => {
  const { session, folder, runFolder } = await sessionOf(t, 3);
  assert.deepEqual(session.foldersOf(['heads-1', 'heads-2', 'other', '../heads-1']), [runFolder]);
  assert.equal(dirname(folder), dirname(runFolder));
});
