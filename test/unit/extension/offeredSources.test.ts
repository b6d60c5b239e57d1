import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { likelyCheckpoint, offerOf } from '../../../src/extension/panels/offeredSources.ts';
import type { RunState } from '../../../src/protocol/trainingEvents.ts';
import { readStoredRun } from '../../../src/runs/list.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

/** Runs with a best checkpoint in these states, the newest first. */
async function runsThat(t: TestContext, ...states: readonly RunState[]) {
  const parent = await temporaryFolder(t);
  return Promise.all(
    states.map(async (state, at) => {
      const folder = await writeRun(parent, `run${at}`, { state });
      await mkdir(join(folder, 'checkpoints'), { recursive: true });
      await writeFile(join(folder, 'checkpoints', 'best.safetensors'), '');
      return readStoredRun(folder);
    }),
  );
}

test('a finished run comes before newer ones that were stopped, which are taken where none has finished', async (t) => {
  const runs = await runsThat(t, 'stopped', 'finished', 'finished');
  const bestOf = (at: number) => ({ kind: 'checkpoint', path: join(runs[at]?.folder ?? '', 'checkpoints', 'best.safetensors') }); // prettier-ignore
  assert.deepEqual(likelyCheckpoint(runs), bestOf(1));
  assert.deepEqual(likelyCheckpoint(runs.slice(0, 1)), bestOf(0));
  assert.equal(likelyCheckpoint([]), undefined);
});

test('what is offered of a run that has not finished says so', async (t) => {
  const runs = await runsThat(t, 'stopped', 'finished');
  const descriptions = runs.flatMap((run) => {
    const source = likelyCheckpoint([run]);
    return source ? [offerOf(source, runs).description] : [];
  });
  assert.deepEqual(descriptions, ['resnet18 · head · stopped', 'resnet18 · head']);
});
