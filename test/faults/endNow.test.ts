import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import process from 'node:process';
import { endNow } from '../../src/extension/trainer/endNow.ts';
import { UserError } from '../../src/protocol/errors.ts';
import { birthOf, type Owner, thisProcess } from '../../src/runs/owner.ts';
import { readRunRecord } from '../../src/runs/record.ts';
import { allEvents } from '../unit/runs/allEvents.ts';
import { temporaryFolder, writeRun } from '../unit/extension/storedRun.ts';

const skip = process.platform === 'win32' && 'Windows does not say when a process began';

/** A process that would go on for ever, in the place of a trainer in the middle of a step. */
async function busyProcess(context: TestContext): Promise<{ child: ChildProcess; owner: Owner }> {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); for (;;);'], {
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  context.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  const birth = birthOf(pid);
  const started = new Date().toISOString();
  return { child, owner: { ...thisProcess(), pid, started, ...(birth === undefined ? {} : { birth }) } };
}

test('a run is ended in the middle of a step, and its record and events say so', { skip }, async (context) => {
  const { child, owner } = await busyProcess(context);
  const progress = { step: 7, totalSteps: 10, epoch: 0.7, stepsPerEpoch: 10 };
  const folder = await writeRun(await temporaryFolder(context), 'run', { state: 'stopping', process: owner, progress });
  const ended = once(child, 'exit');
  await endNow(folder, false);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  const { state, reason } = await readRunRecord(folder);
  assert.equal(state, 'stopped');
  assert.match(reason ?? '', /^Stopped at once/);
  const events = await allEvents(folder);
  assert.deepEqual(
    events.map(({ event }) => event),
    ['state', 'done'],
  );
  const [, done] = events;
  assert.ok(done?.event === 'done' && done.step === 7 && done.state === 'stopped');
});

test('a process that cannot be identified is ended only by the window that started it', { skip }, async (context) => {
  const { child, owner } = await busyProcess(context);
  const folder = await writeRun(await temporaryFolder(context), 'run', {
    state: 'running',
    process: { ...owner, birth: undefined },
  });
  await assert.rejects(endNow(folder, false), UserError);
  assert.equal(child.exitCode ?? child.signalCode, null, 'it is left alone');
  assert.equal((await readRunRecord(folder)).state, 'running');
  await endNow(folder, true);
  assert.equal((await readRunRecord(folder)).state, 'stopped');
});

test('another process that has got the number of a trainer is never ended', { skip }, async (context) => {
  const { child, owner } = await busyProcess(context);
  const folder = await writeRun(await temporaryFolder(context), 'run', {
    state: 'running',
    process: { ...owner, birth: '1' },
  });
  await endNow(folder, true);
  assert.equal(child.exitCode ?? child.signalCode, null);
});

test('a run of another machine and one that has ended are left as they are', { skip }, async (context) => {
  const { child, owner } = await busyProcess(context);
  const parent = await temporaryFolder(context);
  const away = await writeRun(parent, 'away', {
    state: 'running',
    process: { ...owner, scope: undefined, host: 'elsewhere' },
  });
  // Its lock says that it lives: somebody has just written it.
  await assert.rejects(endNow(away, true), /another machine/);
  const finished = await writeRun(parent, 'finished', { state: 'finished', process: owner });
  await endNow(finished, true);
  assert.equal((await readRunRecord(finished)).state, 'finished');
  assert.equal(child.exitCode ?? child.signalCode, null);
});
