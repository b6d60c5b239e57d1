import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { lastSignOf, patience, tryLock, withFileLock } from '../../../src/runs/lock.ts';
import { isVerified, type Owner, ownerState, thisProcess } from '../../../src/runs/owner.ts';
import { isLive, stateOf } from '../../../src/runs/state.ts';
import { sweepStagedFolders, sweepTemporaryFiles, temporaryName } from '../../../src/runs/temporaryFiles.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { writeRun } from '../extension/storedRun.ts';

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-owner-'));
  context.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Larger than the number of any process on Linux and macOS. */
const deadPid = 0x7fff_ffff;
const here = thisProcess();
const dead: Owner = { ...here, pid: deadPid };
const elsewhere: Owner = { ...here, host: 'another machine', scope: 'another boot/1' };
const token = '3f0e7a52-6f0b-4a7e-9d1c-0b6a3f0c2d11';

async function writeLock(folder: string, owner: Owner, age = 0): Promise<string> {
  const path = join(folder, 'run.lock');
  await writeFile(path, JSON.stringify({ ...owner, token }));
  const then = new Date(Date.now() - age);
  await utimes(path, then, then);
  return path;
}

test('the lock of a living process is left to it, and that of a dead one taken over at once', async (context) => {
  const folder = await temporaryFolder(context);
  const path = await writeLock(folder, here, 10 * patience);
  assert.equal(await tryLock(path), undefined);
  await writeLock(folder, dead);
  const lock = await tryLock(path);
  assert.ok(lock?.isHeld());
  await lock?.release();
  assert.deepEqual(await readdir(folder), []);
});

test('of many that take one lock at the same moment one succeeds, be it free or that of a dead process', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'run.lock');
  for (const prepare of [() => Promise.resolve(path), () => writeLock(folder, dead)]) {
    await prepare();
    const locks = (await Promise.all(Array.from({ length: 8 }, () => tryLock(path)))).filter((lock) => lock !== undefined);
    assert.equal(locks.length, 1);
    assert.deepEqual(await readdir(folder), ['run.lock']);
    await locks[0]?.release();
  }
});

test('the lock of another machine is left to it as long as it gives signs of life', async (context) => {
  const folder = await temporaryFolder(context);
  const path = await writeLock(folder, elsewhere, patience / 2);
  assert.equal(await tryLock(path), undefined);
  await writeLock(folder, elsewhere, patience + 1000);
  const lock = await tryLock(path);
  assert.ok(lock?.isHeld());
  await lock?.release();
});

test('a lock that nobody can read is judged by its age, and a folder in its place is not opened', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'run.lock');
  for (const content of ['', '{', 'x'.repeat(100_000), JSON.stringify({ ...here, pid: -1, token })]) {
    await writeFile(path, content);
    assert.equal(await tryLock(path), undefined);
    const old = new Date(Date.now() - patience - 1000);
    await utimes(path, old, old);
    const lock = await tryLock(path);
    assert.ok(lock?.isHeld(), content.slice(0, 20));
    await lock?.release();
  }
  await mkdir(path);
  assert.equal(await tryLock(path), undefined);
});

test('a lock that was deleted or replaced is no longer held, and its release leaves another one alone', async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, 'run.lock');
  const lock = await tryLock(path);
  assert.ok(lock?.isHeld());
  await rm(path);
  assert.equal(lock?.isHeld(), false);
  await writeLock(folder, here);
  await lock.release();
  assert.match(await readFile(path, 'utf8'), new RegExp(token));
  assert.ok(Math.abs((lastSignOf(path) ?? 0) - Date.now()) < 10_000);
});

test('what needs a lock happens one after the other, and the waiting can be given up', async (context) => {
  const path = join(await temporaryFolder(context), 'a.lock');
  let [inside, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++inside);
    await readdir('.');
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => withFileLock(path, work)));
  assert.equal(most, 1);
  const lock = await tryLock(path);
  await assert.rejects(withFileLock(path, work, AbortSignal.abort()), { name: 'CancelledError' });
  await lock?.release();
});

test('a process is known by its number, its birth, its machine and that machine’s boot', { skip: here.scope === undefined && 'needs Linux’s /proc' }, () => {
  const [boot = '', space = ''] = here.scope?.split('/') ?? [];
  const states: readonly (readonly [string, Partial<Owner>, string])[] = [
    ['itself', {}, 'here'],
    ['another machine', elsewhere, 'elsewhere'],
    ['another container of this boot', { scope: `${boot}/9${space}` }, 'elsewhere'],
    ['the same container, renamed', { host: 'renamed' }, 'here'],
    ['an earlier boot of this machine', { scope: `0${boot}/${space}` }, 'gone'],
    ['an earlier process of this number', { birth: '1' }, 'gone'],
    ['no process', { pid: deadPid }, 'gone'],
  ];
  for (const [what, change, state] of states) {
    const owner = { ...here, ...change };
    assert.equal(ownerState(owner), state, what);
    assert.equal(isVerified(owner), state === 'here', what);
  }
});

test('what an earlier version wrote of a process is believed where it can be true, and nobody is signalled for it', () => {
  const started = new Date().toISOString();
  assert.equal(ownerState({ pid: process.pid, started }), 'here');
  assert.equal(isVerified({ pid: process.pid, started }), false);
  assert.equal(ownerState({ pid: process.pid, started: '2001-01-01T00:00:00.000Z' }), 'gone');
});

test('a run whose record names no process, as in a container, lives as long as it gives signs of life', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run', { state: 'running' });
  const record = await readRunRecord(folder);
  assert.ok(isLive(stateOf(folder, record)));
  const old = new Date(Date.now() - patience - 1000);
  await utimes(join(folder, 'run.json'), old, old);
  assert.equal(stateOf(folder, record), 'broken off');
  await writeLock(folder, elsewhere);
  assert.ok(isLive(stateOf(folder, record)));
});

test('temporary files of a process that lives stay, and those of one that is gone are removed', async (context) => {
  const folder = await temporaryFolder(context);
  const own = temporaryName(join(folder, 'run.json'));
  assert.notEqual(temporaryName(join(folder, 'run.json')), own);
  const ofDead = own.replace(/\.\d+-/u, `.${deadPid}-`);
  const reborn = own.replace(/-[0-9a-f]{8}\.tmp$/u, '-00000000.tmp');
  const distant = own.replace(/-[0-9a-f]{8}-/u, '-00000000-');
  const distantOld = distant.replace('run.json', 'last.safetensors');
  const former = [join(folder, `run.json.${deadPid}.tmp`), join(folder, `run.json.${process.pid}.tmp`)] as const;
  const stranger = join(folder, 'notes.tmp');
  for (const path of [own, ofDead, reborn, distant, distantOld, ...former, stranger]) await writeFile(path, '');
  const old = new Date(Date.now() - 25 * 60 * 60 * 1000);
  await utimes(distantOld, old, old);
  await sweepTemporaryFiles(folder);
  const stays = [own, distant, former[1], stranger, ...(here.birth === undefined ? [reborn] : [])];
  assert.deepEqual((await readdir(folder)).sort(), stays.map((path) => basename(path)).sort());
});

test('folders of runs that were never finished being made are removed, and nothing else in their parent', async (context) => {
  const parent = await temporaryFolder(context);
  const staged = temporaryName(join(parent, '.run'));
  const left = staged.replace(/\.\d+-/u, `.${deadPid}-`);
  const named = join(parent, basename(left).slice(1));
  for (const path of [staged, left, named]) await mkdir(join(path, 'checkpoints'), { recursive: true });
  await sweepStagedFolders(parent);
  assert.deepEqual([staged, left, named].map(existsSync), [true, false, true]);
});
