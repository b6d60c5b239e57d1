import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAskedRuns } from '../../../src/extension/trainer/askedRuns.ts';
import type { DerivedRunState } from '../../../src/runs/state.ts';

function run(first: DerivedRunState) {
  const told: string[] = [];
  const now = { state: first };
  const asked = createAskedRuns(
    () => now.state,
    (folder) => told.push(folder),
  );
  return { asked, now, told };
}

test('a run is told as pausing from the moment it is asked until it is in another state', async () => {
  const { asked, now, told } = run('running');
  let answer = (): void => undefined;
  const done = asked.ask('/a', 'pause', () => new Promise<void>((resolve) => (answer = resolve)));
  assert.deepEqual(told, ['/a'], 'before there is an answer');
  assert.equal(asked.requestOf('/a'), 'pause');
  answer();
  await done;
  assert.equal(asked.requestOf('/a'), 'pause', 'an answer is not a pause');
  now.state = 'paused';
  assert.equal(asked.requestOf('/a'), undefined);
  now.state = 'running';
  assert.equal(asked.requestOf('/a'), undefined, 'which does not come back');
});

test('a run that prepares when it is asked to stop goes on stopping while it runs', async () => {
  const { asked, now } = run('preparing');
  await asked.ask('/a', 'stop', () => Promise.resolve());
  for (now.state of ['running', 'stopping'] as const) assert.equal(asked.requestOf('/a'), 'stop');
  now.state = 'stopped';
  assert.equal(asked.requestOf('/a'), undefined);
});

test('a request that fails is forgotten and its error handed on', async () => {
  const { asked, told } = run('stopped');
  const failing = asked.ask('/a', 'resume', () => Promise.reject(new Error('gone')));
  assert.equal(asked.requestOf('/a'), 'resume');
  await assert.rejects(failing, /gone/);
  assert.equal(asked.requestOf('/a'), undefined);
  assert.deepEqual(told, ['/a', '/a']);
});
