import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { trainRun, type TrainRunOptions } from '../../../src/ml/training/run/trainRun.ts';
import type { EndOfWork, Webhook } from '../../../src/ml/webhook/webhook.ts';
import { runFiles } from '../../../src/protocol/runRecord.ts';
import { writeJobRecord } from '../../../src/runs/job.ts';
import { readStoredRun } from '../../../src/runs/list.ts';
import { allEvents } from '../../unit/runs/allEvents.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';

const job = { version: 1, scheduler: 'slurm', job: '7', submitted: '2026-01-01' } as const;

test('a webhook is told of the end of a run once, when its folder says so and is let go of', async (t) => {
  const out = await temporaryFolder(t);
  const config = tinyConfig(await drawTinyDataset(out), { epochs: 1 });
  const folder = join(out, 'run');
  const told: EndOfWork[] = [];
  const found: unknown[] = [];
  const webhook: Webhook = {
    tell: async (end) => {
      told.push(end);
      if (existsSync(join(folder, runFiles.record))) found.push((await readStoredRun(folder)).state);
      found.push(existsSync(join(folder, runFiles.lock)));
      return 'The webhook at x was not told of the end.';
    },
  };
  const chooseEngine = () => Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: [] });
  const train = (options: Omit<TrainRunOptions, 'out' | 'chooseEngine' | 'webhook'>, epochs = 1) =>
    trainRun({ ...config, epochs }, { out, chooseEngine, webhook, ...options });
  await train({ name: 'run' });
  assert.deepEqual(
    told.map(({ state, name }) => [state, name]),
    [['finished', 'run']],
  );
  assert.deepEqual(found, ['finished', false]);
  const [last] = (await allEvents(folder)).slice(-1);
  assert.match(last?.event === 'log' ? last.message : '', /was not told/u);

  // A job keeps its record; who trains the run without one forgets it.
  await writeJobRecord(folder, job);
  await train({ resume: folder, isJob: true }, 2);
  assert.equal((await readStoredRun(folder)).job?.job, '7');
  await train({ resume: folder }, 3);
  assert.equal((await readStoredRun(folder)).job, undefined);

  // The end cannot be written.
  told.length = 0;
  const loop: TrainRunOptions['loop'] = async ({ start }) => {
    await rm(folder, { recursive: true });
    return { state: 'finished', reason: 'All epochs are done.', position: start };
  };
  await assert.rejects(train({ resume: folder, loop }, 4));
  assert.deepEqual(
    told.map(({ state }) => state),
    ['failed'],
  );
});
