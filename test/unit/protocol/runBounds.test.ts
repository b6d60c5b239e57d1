import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DataReport } from '../../../src/protocol/dataReport.ts';
import { longestSentence } from '../../../src/protocol/bounded.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { type TrainingEvent, trainingEventSchema } from '../../../src/protocol/trainingEvents.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { temporaryFolder, writeRun } from '../extension/storedRun.ts';
import { allEvents } from '../runs/allEvents.ts';

const time = '2026-01-02T03:04:05.000Z';
const long = 'x'.repeat(longestSentence + 1);

const data: DataReport = {
  data: '/data',
  splitBy: 'folders',
  classes: [{ index: 0, folder: '1', name: 'daisy', train: 3, valid: 2, test: 1 }],
  images: { train: 3, valid: 2, test: 1 },
  undecodable: [{ file: 'train/1/a.jpg', reason: 'It is cut short.' }],
  duplicates: [{ files: ['a', 'b'], same: 'file', acrossSplits: true, acrossClasses: false }],
  findings: [{ level: 'warning', what: 'x'.repeat(10_000) }],
};
const full: Partial<RunRecord> = {
  name: 'n'.repeat(100),
  state: 'failed',
  reason: 'x'.repeat(10_000),
  process: { pid: 4242, started: time, host: 'host', scope: 'boot/1', birth: '77', socket: '/tmp/socket' },
  data,
  progress: { step: 7, totalSteps: 90, epoch: 0.7, stepsPerEpoch: 10 },
  best: { step: 5, validLoss: 0.5, validAccuracy: 1 },
  resumedFrom: '/runs/other/checkpoints/last.safetensors',
};

test('a record with all that a run writes, long sentences too, is read as it was written', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run', full);
  assert.deepEqual(await readRunRecord(folder), JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')));
});

const [seen] = data.classes;
const absurdRecords: readonly (readonly [string, object])[] = [
  ...[1, 0, -1, 2 ** 40, 4.5, 'init'].map((pid) => ['process.pid', { process: { pid, started: time } }] as const),
  ['process.started', { process: { pid: 4242, started: long } }],
  ['name', { name: '' }],
  ['name', { name: long }],
  ['created', { created: long }],
  ['reason', { reason: long }],
  ['environment.device', { environment: { fivecrop: '1', node: '', platform: '', fallbacks: [], device: long } }],
  ['environment.fallbacks', { environment: { fivecrop: '1', node: '', platform: '', fallbacks: Array(101).fill('') } }],
  ['progress.step', { progress: { ...full.progress, step: -1 } }],
  ['progress.totalSteps', { progress: { ...full.progress, totalSteps: 1e300 } }],
  ['progress.epoch', { progress: { ...full.progress, epoch: 1e300 } }],
  ['progress.epoch', { progress: { ...full.progress, epoch: NaN } }],
  ['progress.stepsPerEpoch', { progress: { ...full.progress, stepsPerEpoch: 0.5 } }],
  ['best.validLoss', { best: { ...full.best, validLoss: -5 } }],
  ['best.validLoss', { best: { ...full.best, validLoss: Infinity } }],
  ['best.validAccuracy', { best: { ...full.best, validAccuracy: 1.5 } }],
  ['resumedFrom', { resumedFrom: '' }],
  ['data.images.train', { data: { ...data, images: { ...data.images, train: -3 } } }],
  ['data.classes.0.index', { data: { ...data, classes: [{ ...seen, index: 1e9 }] } }],
  ['data.classes.0.name', { data: { ...data, classes: [{ ...seen, name: long }] } }],
  ['data.classes.0.test', { data: { ...data, classes: [{ ...seen, test: null }] } }],
  ['data.undecodable.0.reason', { data: { ...data, undecodable: [{ file: 'a', reason: long }] } }],
  ['data.findings.0.what', { data: { ...data, findings: [{ level: 'info', what: long }] } }],
  ['data.findings', { data: { ...data, findings: Array(1001).fill({ level: 'info', what: '' }) } }],
];

test('a record with an absurd value is refused in one short sentence that names the value', async (context) => {
  const parent = await temporaryFolder(context);
  for (const [field, change] of absurdRecords) {
    const folder = await writeRun(parent, 'run', change);
    await assert.rejects(readRunRecord(folder), (error) => {
      assert.ok(error instanceof UserError, field);
      assert.ok(error.message.includes(`(${field}: expected `), `${field}: ${error.message}`);
      assert.ok(error.message.length < parent.length + 250 && !error.message.includes('\n'), error.message);
      return true;
    });
  }
});

const figures = { imagesPerSecond: 10, secondsLeft: 3, memoryBytes: 1e9, device: 'cpu' };
const step = { event: 'step', time, step: 3, epoch: 0.3, loss: 0.7, learningRate: 0.001, ...figures } as const;
const ranked = { index: 0, folder: '1', name: 'daisy', probability: 1 };
const frame = { left: 0, top: 0, width: 224, height: 224 };
const prediction = {
  ...{ image: '/data/a.jpg', width: 300, height: 200, actual: 0, mean: [ranked] },
  crops: [{ crop: 'center' as const, frame, top: [ranked] }],
};
const events: readonly TrainingEvent[] = [
  {
    ...{ event: 'start', time, run: 'n'.repeat(100), engine: 'onnx', device: 'cpu', network: 'resnet18', classes: 2 },
    ...{ trainImages: 30, validImages: 10, stepsPerEpoch: 3, totalSteps: 9, step: 0, resumedFrom: '/runs/a/b' },
  },
  step,
  {
    ...{ event: 'validation', time, step: 3, epoch: 0.3, trainLoss: 0, validLoss: -0, validAccuracy: 1, validTop5: 1 },
    ...figures,
  },
  { event: 'checkpoint', time, step: 3, epoch: 0.3, kind: 'best', path: '/runs/a/best', validAccuracy: 1 },
  { event: 'pinned', time, step: 3, predictions: [prediction] },
  { event: 'log', time, level: 'warning', message: 'x'.repeat(10_000) },
  { event: 'state', time, state: 'paused' },
  { event: 'done', time, state: 'finished', step: 9, reason: 'All done.', bestAccuracy: 1, best: '/b', last: '/l' },
];
const absurdSteps: readonly object[] = [
  ...[-1, 0.5, 2 ** 60, null, '3'].map((value) => ({ step: value })),
  ...[-1, 1e300, null].map((value) => ({ epoch: value })),
  ...[-5, 1e300, null].map((value) => ({ loss: value })),
  ...[-0.1, 1e9].map((value) => ({ learningRate: value })),
  ...[-1, 1e300].flatMap((value) => [{ imagesPerSecond: value }, { secondsLeft: value }, { memoryBytes: value }]),
  ...[{ device: long }, { time: long }, { mean: { steps: 0, loss: 1 } }, { mean: { steps: 1, loss: -9 } }],
];

test('events with absurd values are passed over, and those between them are read', async (context) => {
  const folder = await writeRun(await temporaryFolder(context), 'run');
  const file = join(folder, 'metrics.jsonl');
  const pinned = (change: object) => ({ event: 'pinned', time, step: 3, predictions: [{ ...prediction, ...change }] });
  const absurd = [
    ...absurdSteps.map((change) => ({ ...step, ...change })),
    ...[{ width: -1 }, { mean: [{ ...ranked, probability: 7 }] }, { image: '' }, { actual: 1e9 }].map(pinned),
    { ...pinned({}), predictions: Array(17).fill(prediction) },
    { event: 'log', time, level: 'info', message: long },
  ];
  const lines = (list: readonly object[]) => list.map((event) => `${JSON.stringify(event)}\n`).join('');
  await writeFile(file, lines(absurd) + lines(events) + lines(absurd));
  await appendFile(file, `${JSON.stringify(step).replace('0.7', '1e999')}\n`);
  assert.deepEqual(await allEvents(folder), JSON.parse(JSON.stringify(events)));
  for (const event of absurd)
    assert.equal(trainingEventSchema.safeParse(event).success, false, JSON.stringify(event).slice(0, 200));
});
