import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { elsewhereRefusal, reachOf, trainsHere } from '../../../src/extension/trainer/elsewhere.ts';
import { endNow } from '../../../src/extension/trainer/endNow.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { thisProcess } from '../../../src/runs/owner.ts';
import { type DerivedRunState, stateName } from '../../../src/runs/state.ts';
import { standingWord } from '../../../src/extension/views/stateWord.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

const other = { pid: process.pid, started: new Date().toISOString(), host: 'another.example' };
const record = (changes: Partial<RunRecord>) => ({ name: 'far', state: 'running', ...changes }) as RunRecord;

test('a live run of another machine can only be looked at, and its machine is named', () => {
  assert.match(elsewhereRefusal(record({ process: other })) ?? '', /^far trains on another machine .*another\.example/);
  assert.equal(elsewhereRefusal(record({ process: thisProcess() })), undefined);
  assert.equal(elsewhereRefusal(record({ process: other, state: 'stopped' })), undefined);
  assert.equal(elsewhereRefusal(record({})), undefined);
});

test('a run of another machine is asked by its folder if whoever trains it looks there, and a job that waits always', () => {
  const reach = (changes: Partial<RunRecord>, state: DerivedRunState = 'running') =>
    reachOf({ state, record: record(changes) });
  assert.equal(reach({ process: other }), undefined);
  assert.equal(reach({ process: other, heedsControl: true }), 'folder');
  assert.equal(elsewhereRefusal(record({ process: other, heedsControl: true })), undefined);
  assert.equal(reach({ process: thisProcess(), heedsControl: true }), 'here');
  assert.equal(reach({ state: 'preparing' }, 'queued'), 'folder');
  assert.equal(reach({ process: other, heedsControl: true }, 'broken off'), 'none');
});

test('a run is queued, requeued or lost by its job, and trains on the machine that is named', () => {
  const job = { version: 1, scheduler: 'slurm', job: '12_3', submitted: '2026-01-02T03:04:05.000Z' } as const;
  const word = (state: DerivedRunState, changes: Partial<RunRecord>, requeues?: number) =>
    standingWord({ state, record: record(changes), job: { ...job, ...(requeues === undefined ? {} : { requeues }) } });
  assert.equal(word('queued', { state: 'preparing' }), 'queued');
  assert.equal(word('queued', { state: 'preparing' }, 2), 'requeued');
  assert.equal(word('broken off', { process: other }), 'lost');
  assert.equal(word('running', { process: other }), 'running on another.example');
  assert.equal(standingWord({ state: 'running', record: record({ process: thisProcess() }) }), 'running');
  assert.equal(standingWord({ state: 'broken off', record: record({ process: thisProcess() }) }), 'interrupted');
});

test('a run on a machine that shares no disk is away while it is followed, and else nobody knows how it does', () => {
  const job = { version: 1, scheduler: 'ssh', job: '0123456789abcdef_1', host: 'far', submitted: '2026-01-02T03:04:05.000Z' } as const; // prettier-ignore
  const followed = { state: 'running', record: record({ heedsControl: true }), job } as const;
  assert.deepEqual(
    [reachOf(followed), trainsHere(followed), standingWord(followed)],
    ['folder', false, 'running on far'],
  );
  const unfollowed = { ...followed, state: 'queued' } as const;
  assert.deepEqual([reachOf(unfollowed), standingWord(unfollowed)], ['folder', 'not followed']);
  const continued = { ...followed, record: record({ process: thisProcess() }) };
  assert.deepEqual([reachOf(continued), trainsHere(continued), standingWord(continued)], ['here', true, 'running']);
});

test('a live run of another machine is not ended by its number here', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'far', { state: 'running', process: other });
  await assert.rejects(endNow(folder, true), /far trains on another machine/);
});

test('a run whose process is gone is called interrupted', () => {
  assert.equal(stateName('broken off'), 'interrupted');
  assert.equal(stateName('paused'), 'paused');
});
