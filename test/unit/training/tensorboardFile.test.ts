import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import {
  curveRecord,
  openTensorboardFile,
  removeTensorboardFiles,
} from '../../../src/ml/training/run/tensorboardFile.ts';
import records from '../../fixtures/tensorboard_records.json' with { type: 'json' };

const throughput = { epoch: 0.5, memoryBytes: 1, device: 'cpu' };
const step = {
  ...throughput,
  event: 'step',
  time: '2026-10-14T12:00:00.250Z',
  step: 1,
  loss: 4.5,
  learningRate: 0.001,
};
const events: readonly TrainingEvent[] = [
  { ...step, event: 'step', gradientNorm: 2.25, imagesPerSecond: 31.5 },
  {
    ...throughput,
    event: 'validation',
    time: '2026-10-14T12:01:00.500Z',
    step: 40,
    trainLoss: 3.125,
    validLoss: 3.5,
    validAccuracy: 0.25,
    validTop5: 0.625,
    imagesPerSecond: 31.5,
  },
  {
    ...step,
    event: 'step',
    time: '2026-10-14T12:01:40.000Z',
    step: 100000,
    loss: 0.0001,
    learningRate: 0,
    imagesPerSecond: 0.5,
  },
];

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

describe('the event file for TensorBoard', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fivecrop-tensorboard-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('holds steps and validations as TensorBoard’s own package writes them', () => {
    assert.deepEqual(
      events.map((event) => hex(curveRecord(event))),
      records,
    );
  });

  it('has no record of what has no curve', () => {
    assert.equal(curveRecord({ event: 'state', time: '2026-10-14T12:00:00.000Z', state: 'running' }), undefined);
  });

  it('of a resumed run begins with the curve up to its checkpoint, in the one file of the run', async () => {
    await writeFile(join(folder, 'metrics.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    await writeFile(join(folder, 'events.out.tfevents.1.fivecrop'), 'of before');
    await writeFile(join(folder, 'events.out.tfevents.1.somebody-else'), 'of another program');
    const file = await openTensorboardFile(folder, 40);
    file.append(events[2] ?? assert.fail());
    file.close();
    const names = (await readdir(folder)).filter((name) => name.includes('tfevents'));
    const own = names.filter((name) => name.endsWith('.fivecrop'));
    assert.deepEqual([names.length, own.length], [2, 1]);
    const text = (await readFile(join(folder, own[0] ?? ''))).toString('hex');
    assert.ok(text.endsWith(records.join('')), 'ends with the three records');
    assert.ok(text.includes(Buffer.from('brain.Event:2').toString('hex')));
  });

  it('of a run that goes on without one is deleted, and no other file is', async () => {
    const before = (await readdir(folder)).length;
    assert.equal(await removeTensorboardFiles(folder), 1);
    const names = await readdir(folder);
    assert.equal(names.length, before - 1);
    assert.ok(names.includes('events.out.tfevents.1.somebody-else') && names.includes('metrics.jsonl'));
    assert.equal(await removeTensorboardFiles(folder), 0);
  });
});
