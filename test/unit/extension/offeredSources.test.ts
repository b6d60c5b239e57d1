import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { likelyCheckpoint, likelyFeatures, offerOf } from '../../../src/extension/panels/offeredSources.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { readStoredRun } from '../../../src/runs/list.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

/** Runs with a best checkpoint and these records, the newest first. */
async function runsThat(t: TestContext, ...records: readonly Partial<RunRecord>[]) {
  const parent = await temporaryFolder(t);
  return Promise.all(
    records.map(async (record, at) => {
      const folder = await writeRun(parent, `run${at}`, record);
      await mkdir(join(folder, 'checkpoints'), { recursive: true });
      await writeFile(join(folder, 'checkpoints', 'best.safetensors'), '');
      return readStoredRun(folder);
    }),
  );
}

const [stopped, finished] = [{ state: 'stopped' }, { state: 'finished' }] as const;

test('a finished run comes before newer ones that were stopped, which are taken where none has finished', async (t) => {
  const runs = await runsThat(t, stopped, finished, finished);
  const bestOf = (at: number) => ({ kind: 'checkpoint', path: join(runs[at]?.folder ?? '', 'checkpoints', 'best.safetensors') }); // prettier-ignore
  assert.deepEqual(likelyCheckpoint(runs), bestOf(1));
  assert.deepEqual(likelyCheckpoint(runs.slice(0, 1)), bestOf(0));
  assert.equal(likelyCheckpoint([]), undefined);
});

test('what is offered of a run that has not finished says so', async (t) => {
  const runs = await runsThat(t, stopped, finished);
  const descriptions = runs.flatMap((run) => {
    const source = likelyCheckpoint([run]);
    return source ? [offerOf(source, runs).description] : [];
  });
  assert.deepEqual(descriptions, ['resnet18 · head · stopped', 'resnet18 · head']);
});

test('data is judged by the features of its most accurate run that did not train them on it', async (t) => {
  const config = (method: 'head' | 'scratch', data: string) =>
    trainingConfigSchema.parse({ data, network: { kind: 'architecture', name: 'resnet18' }, method });
  const best = (validAccuracy: number) => ({ best: { step: 1, validLoss: 1, validAccuracy } });
  const runs = await runsThat(
    t,
    { ...finished, ...best(0.7), config: config('scratch', '/flowers') },
    { ...finished, ...best(0.8), config: config('head', '/flowers') },
    { ...finished, ...best(0.9), config: config('head', '/flowers') },
    { ...finished, ...best(0.95), config: config('scratch', '/flowers') },
    { ...stopped, ...best(0.97), config: config('head', '/flowers') },
    { ...finished, ...best(0.99), config: config('head', '/cats') },
  );
  const named = (data: string, among = runs) => {
    const source = likelyFeatures(data, among);
    return source && offerOf(source, runs).label;
  };
  assert.match(named('/flowers') ?? '', /^run2/u);
  assert.match(named('/dogs') ?? '', /^run0/u);
  assert.equal(named('/flowers', []), undefined);
});
