import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { elsewhereRefusal } from '../../../src/extension/trainer/elsewhere.ts';
import { endNow } from '../../../src/extension/trainer/endNow.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { thisProcess } from '../../../src/runs/owner.ts';
import { stateName } from '../../../src/runs/state.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

const other = { pid: process.pid, started: new Date().toISOString(), host: 'another.example' };
const record = (changes: Partial<RunRecord>) => ({ name: 'far', state: 'running', ...changes }) as RunRecord;

test('a live run of another machine can only be looked at, and its machine is named', () => {
  assert.match(elsewhereRefusal(record({ process: other })) ?? '', /^far trains on another machine .*another\.example/);
  assert.equal(elsewhereRefusal(record({ process: thisProcess() })), undefined);
  assert.equal(elsewhereRefusal(record({ process: other, state: 'stopped' })), undefined);
  assert.equal(elsewhereRefusal(record({})), undefined);
});

test('a live run of another machine is not ended by its number here', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'far', { state: 'running', process: other });
  await assert.rejects(endNow(folder, true), /far trains on another machine/);
});

test('a run whose process is gone is called interrupted', () => {
  assert.equal(stateName('broken off'), 'interrupted');
  assert.equal(stateName('paused'), 'paused');
});
