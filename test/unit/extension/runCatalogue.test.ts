import assert from 'node:assert/strict';
import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { patience } from '../../../src/runs/lock.ts';
import { thisProcess } from '../../../src/runs/owner.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { createRunCatalogue, runFolderOf } from '../../../src/extension/trainer/runCatalogue.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

test('a thousand runs are listed, the newest first, and a second look finds nothing new', async (context) => {
  const parent = await temporaryFolder(context);
  const names = Array.from({ length: 1000 }, (_, index) => `run-${index}`);
  const day = (index: number) => new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString();
  await Promise.all(names.map((name, index) => writeRun(parent, name, { created: day(index) })));
  const catalogue = createRunCatalogue();
  assert.equal((await catalogue.scan([parent])).length, 1000);
  assert.deepEqual(
    catalogue.runs().map(({ record }) => record.name),
    names.toReversed(),
  );
  assert.deepEqual(await catalogue.scan([parent]), []);
});

test('a slow reading of a run does not undo what a later one found', async (context) => {
  const parent = await temporaryFolder(context);
  const owner = { pid: process.pid, started: new Date().toISOString() };
  const folder = await writeRun(parent, 'quick', { state: 'preparing', process: owner });
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  let readings = 0;
  const catalogue = createRunCatalogue(async (path) => {
    const record = await readRunRecord(path);
    if (readings++ === 0) await held;
    return record;
  });
  const first = catalogue.read(folder);
  await writeRun(parent, 'quick', { state: 'finished', process: owner, updated: '2026-01-02T03:05:00.000Z' });
  const second = catalogue.read(folder);
  await new Promise((resolve) => setTimeout(resolve, 20));
  letGo();
  await Promise.all([first, second]);
  assert.equal(catalogue.get(folder)?.state, 'finished');
});

test('records that cannot be understood are listed with the reason, and runs that vanish go', async (context) => {
  const parent = await temporaryFolder(context);
  const gone = await writeRun(parent, 'gone');
  const damaged = await writeRun(parent, 'damaged');
  const newer = await writeRun(parent, 'newer');
  await writeFile(join(damaged, 'run.json'), '{"version":1');
  await writeFile(join(newer, 'run.json'), '{"version":2}');
  const catalogue = createRunCatalogue();
  await catalogue.scan([parent, join(parent, 'no such folder')]);
  assert.deepEqual(
    catalogue.runs().map(({ folder }) => folder),
    [gone],
  );
  const reasons = new Map(catalogue.unreadable().map(({ folder, reason }) => [folder, reason]));
  assert.match(reasons.get(damaged) ?? '', /not valid JSON. Correct, restore or delete it/);
  assert.match(reasons.get(newer) ?? '', /newer Fivecrop .*update/);
  await rm(gone, { recursive: true });
  assert.deepEqual(await catalogue.scan([parent]), [gone]);
  assert.deepEqual(catalogue.runs(), []);
});

test('what another machine writes to the run of a job is found without a word from the system', async (context) => {
  const parent = await temporaryFolder(context);
  const folder = await writeRun(parent, 'far', { state: 'preparing' });
  const job = { version: 1, scheduler: 'slurm', job: '7', submitted: '2026-01-02T03:04:05.000Z' };
  await writeFile(join(folder, 'job.json'), JSON.stringify(job));
  const catalogue = createRunCatalogue();
  await catalogue.scan([parent]);
  assert.equal(catalogue.get(folder)?.state, 'queued');
  assert.deepEqual(await catalogue.lookAtProcesses(), []);
  await writeRun(parent, 'far', { state: 'finished', updated: '2026-01-02T03:05:00.000Z' });
  await utimes(join(folder, 'run.json'), new Date(), new Date(Date.now() + 5000));
  assert.deepEqual(await catalogue.lookAtProcesses(), [folder]);
  assert.equal(catalogue.get(folder)?.state, 'finished');
  assert.deepEqual(await catalogue.lookAtProcesses(), []);
});

test('a run that was lost on another machine and lives again is found, and one that is given to a job waits', async (context) => {
  const parent = await temporaryFolder(context);
  const owner = { ...thisProcess(), host: 'node7', scope: 'another boot/1' };
  const lost = await writeRun(parent, 'lost', { state: 'running', process: owner });
  const given = await writeRun(parent, 'given', { state: 'preparing' });
  const old = new Date(Date.now() - 2 * patience);
  await utimes(join(lost, 'run.json'), old, old);
  const catalogue = createRunCatalogue();
  await catalogue.scan([parent]);
  assert.equal(catalogue.get(lost)?.state, 'broken off');
  assert.equal(catalogue.get(given)?.state, 'preparing');
  await utimes(join(lost, 'run.json'), new Date(), new Date());
  const job = { version: 1, scheduler: 'slurm', job: '7', submitted: '2026-01-02T03:04:05.000Z' };
  await writeFile(join(given, 'job.json'), JSON.stringify(job));
  assert.deepEqual((await catalogue.lookAtProcesses()).toSorted(), [given, lost]);
  assert.equal(catalogue.get(lost)?.state, 'running');
  assert.equal(catalogue.get(given)?.state, 'queued');
});

test('a path is traced to its run, whatever lies between', () => {
  assert.equal(runFolderOf('/w/runs/a/checkpoints/best.safetensors', ['/w/runs']), '/w/runs/a');
  assert.equal(runFolderOf('/w/runs/a', ['/w/runs']), '/w/runs/a');
  assert.equal(runFolderOf('/w/runs', ['/w/runs']), undefined);
  assert.equal(runFolderOf('/w/other/a/run.json', ['/w/runs']), undefined);
});
