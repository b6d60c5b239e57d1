import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { createRunCatalogue } from '../../../src/extension/trainer/runCatalogue.ts';
import { temporaryFolder, writeRun } from '../../unit/extension/storedRun.ts';

test('a run whose process is killed has been broken off at the next look', async (context) => {
  const parent = await temporaryFolder(context);
  const owner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  context.after(() => owner.kill('SIGKILL'));
  const folder = await writeRun(parent, 'live', {
    state: 'running',
    process: { pid: owner.pid ?? 0, started: new Date().toISOString() },
  });
  const catalogue = createRunCatalogue();
  await catalogue.scan([parent]);
  assert.equal(catalogue.get(folder)?.state, 'running');
  assert.deepEqual(await catalogue.lookAtProcesses(), []);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  assert.deepEqual(await catalogue.lookAtProcesses(), [folder]);
  assert.equal(catalogue.get(folder)?.state, 'broken off');
  assert.equal(catalogue.runs()[0]?.state, 'broken off');
});

test('a run that ended well between two looks is finished, not broken off', async (context) => {
  const parent = await temporaryFolder(context);
  const owner = spawn(process.execPath, ['-e', '0'], { env: { ...process.env, NODE_OPTIONS: '' } });
  const lives = { pid: process.pid, started: new Date().toISOString() };
  const folder = await writeRun(parent, 'quick', { state: 'running', process: lives });
  await once(owner, 'exit');
  const gone = { pid: owner.pid ?? 0, started: new Date().toISOString() };
  const records: RunRecord[] = [];
  const catalogue = createRunCatalogue(async (path) => records.shift() ?? (await readRunRecord(path)));
  await catalogue.read(folder);
  assert.equal(catalogue.get(folder)?.state, 'running');
  // What lay there a moment before the process wrote its last record and was gone.
  const before = await readRunRecord(folder);
  records.push({ ...before, process: gone });
  await writeRun(parent, 'quick', { state: 'finished', updated: '2026-01-02T03:05:00.000Z' });
  assert.equal(await catalogue.read(folder), true);
  assert.equal(catalogue.get(folder)?.state, 'finished');
});
