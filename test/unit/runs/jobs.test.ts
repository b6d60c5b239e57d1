import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readControl, requestControl, takeControl } from '../../../src/runs/control.ts';
import { readJobRecord, writeJobRecord } from '../../../src/runs/job.ts';
import { listRuns, readStoredRun } from '../../../src/runs/list.ts';
import { noteHeard } from '../../../src/runs/heard.ts';
import { patience, tryLock } from '../../../src/runs/lock.ts';
import { type Owner, thisProcess } from '../../../src/runs/owner.ts';
import { isLive, stateWithPlace } from '../../../src/runs/state.ts';
import { reopenRunFolder } from '../../../src/runs/runFolder.ts';
import { temporaryFolder, writeRun } from '../extension/storedRun.ts';

const job = { version: 1, scheduler: 'slurm', job: '12_3', submitted: '2026-01-02T03:04:05.000Z' } as const;
const elsewhere: Owner = { ...thisProcess(), host: 'node7', scope: 'another boot/1' };

async function stateIn(folder: string): Promise<string> {
  return stateWithPlace(await readStoredRun(folder));
}

async function touch(folder: string, name: string, age: number): Promise<void> {
  const then = new Date(Date.now() - age);
  await utimes(join(folder, name), then, then);
}

test('a run whose job has not begun is queued, however long ago it was submitted, and requeued after its first time', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run', { state: 'preparing' });
  await writeJobRecord(folder, job);
  await touch(folder, 'run.json', 100 * patience);
  assert.equal(await stateIn(folder), 'queued');
  await writeJobRecord(folder, { ...job, requeues: 2 });
  assert.equal(await stateIn(folder), 'requeued');
  assert.ok(!isLive((await readStoredRun(folder)).state));
});

test('a run of another machine is running there until it gives no sign of life for a minute, and is lost then', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run', { state: 'running', process: elsewhere });
  await writeJobRecord(folder, job);
  await writeFile(join(folder, 'run.lock'), '{}');
  await touch(folder, 'run.json', 100 * patience);
  assert.equal(await stateIn(folder), 'running on node7');
  await touch(folder, 'run.lock', patience + 1000);
  assert.equal(await stateIn(folder), 'lost');
});

test('a run whose folder is a copy is followed as long as a process holds it, and says else when it was heard of', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run', { state: 'running' });
  await writeJobRecord(folder, { ...job, scheduler: 'ssh', job: '0123456789abcdef_1', host: 'far' });
  const lock = await tryLock(join(folder, 'run.lock'));
  assert.equal(await stateIn(folder), 'running on far');
  await lock?.release();
  // What a killed process leaves.
  const dead = { pid: 0x7fff_ffff, started: job.submitted, token: '3f0e7a52-6f0b-4a7e-9d1c-0b6a3f0c2d11' };
  await writeFile(join(folder, 'run.lock'), JSON.stringify(dead));
  assert.match(await stateIn(folder), /^not followed; last heard of far \d+ hours ago: running$/);
  await noteHeard(folder);
  assert.equal(await stateIn(folder), 'not followed; last heard of far just now: running');
});

test('the folder of a run that waits can be taken by whoever trains it', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run', { state: 'preparing' });
  await writeJobRecord(folder, job);
  const run = await reopenRunFolder(folder);
  await run.update({ state: 'running', process: thisProcess() });
  assert.equal(await stateIn(folder), 'running');
  await assert.rejects(reopenRunFolder(folder), /still training/);
  await run.close();
});

test('a run without a process that was no job is taken over when nobody holds its lock', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run', { state: 'running' });
  await (await reopenRunFolder(folder)).close();
});

test('a run that was lost on another machine is taken over, and one that lives there is not', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run', { state: 'running', process: elsewhere });
  const lock = { ...elsewhere, token: '3f0e7a52-6f0b-4a7e-9d1c-0b6a3f0c2d11' };
  await writeFile(join(folder, 'run.lock'), JSON.stringify(lock));
  await touch(folder, 'run.json', 100 * patience);
  await assert.rejects(reopenRunFolder(folder), /still training/);
  await touch(folder, 'run.lock', patience + 1000);
  const run = await reopenRunFolder(folder);
  await run.update({ process: thisProcess() });
  assert.equal(await stateIn(folder), 'running');
  await run.close();
});

test('a job that cannot be understood is left out of a list, and refused where it is asked for', async (context) => {
  const parent = await temporaryFolder(context);
  const folder = await writeRun(parent, 'run', { state: 'preparing' });
  assert.equal(await readJobRecord(folder), undefined);
  for (const content of ['{', '{"version":2}', JSON.stringify({ ...job, scheduler: 'cron' }), 'x'.repeat(100_000)]) {
    await writeFile(join(folder, 'job.json'), content);
    const { runs, unreadable } = await listRuns(parent);
    assert.deepEqual([runs.length, runs[0]?.job, unreadable], [1, undefined, []]);
    await assert.rejects(readJobRecord(folder), /job\.json/);
  }
});

test('a request is heard once, and what is no request not at all', async (context) => {
  const folder = await temporaryFolder(context);
  assert.equal(await takeControl(folder), undefined);
  await requestControl(folder, 'pause');
  await requestControl(folder, 'stop');
  assert.equal((await readControl(folder))?.action, 'stop');
  assert.equal((await takeControl(folder))?.action, 'stop');
  assert.equal(await takeControl(folder), undefined);
  for (const content of ['', '{"version":1,"action":"delete","time":"x"}', '{"version":2,"action":"stop"}', 'x'.repeat(9000)]) {
    await writeFile(join(folder, 'control.json'), content);
    assert.equal(await takeControl(folder), undefined);
  }
  await mkdir(join(folder, 'control.json', 'folder'), { recursive: true });
  assert.equal(await takeControl(folder), undefined);
  assert.deepEqual(await readdir(folder), []);
});
