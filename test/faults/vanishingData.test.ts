import assert from 'node:assert/strict';
import { copyFileSync, renameSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import sharp from 'sharp';
import type { TrainingConfigInput } from '../../src/protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { readRunRecord } from '../../src/runs/record.ts';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { trainRun, type TrainRunOptions } from '../../src/ml/training/run/trainRun.ts';
import { allEvents } from '../unit/runs/allEvents.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../unit/training/tinyDataset.ts';

const chooseEngine = () => Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: [] });

/** Steps, losses and validations of a run, which are the same whenever it ran. */
async function curveOf(folder: string) {
  return (await allEvents(folder)).flatMap((event) => {
    if (event.event === 'step') return [[event.step, event.loss]];
    return event.event === 'validation' ? [[event.step, event.validLoss, event.validAccuracy]] : [];
  });
}

/** Does something to the data once, when the first epoch has been validated. */
function afterFirstEpoch(act: () => void): Pick<TrainRunOptions, 'onEvent'> {
  let done = false;
  const onEvent = (event: TrainingEvent) => {
    if (done || event.event !== 'validation' || event.epoch < 1) return;
    done = true;
    act();
  };
  return { onEvent };
}

const ways: Readonly<Record<string, { settings: Partial<TrainingConfigInput>; gone: string; reason: RegExp }>> = {
  'the data folder, nothing kept in memory': {
    settings: { cacheMegabytes: 0 },
    gone: '',
    reason: /data is no longer there/u,
  },
  'the data folder, all images in memory': { settings: {}, gone: '', reason: /data is no longer there/u },
  'the validation folder': { settings: {}, gone: 'valid', reason: /data\/valid is no longer there/u },
  'one image': { settings: {}, gone: 'train/10/3.png', reason: /train\/10\/3\.png is no longer there/u },
};

const epochs = 3;
/** What all of them shall end as: a run of the same data that nothing happens to. */
let whole: { readonly curve: Awaited<ReturnType<typeof curveOf>>; readonly bestAccuracy: number | undefined };

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-whole-'));
  const config = tinyConfig(await drawTinyDataset(folder), { epochs });
  const run = await trainRun(config, { out: join(folder, 'runs'), chooseEngine });
  whole = { curve: await curveOf(run.folder), bestAccuracy: run.done.bestAccuracy };
  await rm(folder, { recursive: true, maxRetries: 3 });
});

for (const [what, { settings, gone, reason }] of Object.entries(ways)) {
  test(`a run whose data vanishes (${what}) ends with that as its reason, and goes on as if nothing had been`, async (t) => {
    const folder = await temporaryFolder(t);
    const data = await drawTinyDataset(folder);
    const config = tinyConfig(data, { epochs, ...settings });
    const [from, to] = [join(data, gone), join(folder, 'away')];
    const vanish = afterFirstEpoch(() => renameSync(from, to));
    const broken = trainRun(config, { out: join(folder, 'runs'), name: 'broken', chooseEngine, ...vanish });
    await assert.rejects(broken, reason);
    const run = join(folder, 'runs', 'broken');
    const record = await readRunRecord(run);
    assert.equal(record.state, 'failed');
    assert.match(record.reason ?? '', reason);
    assert.match(record.reason ?? '', /put it back, then resume the run from its last checkpoint\.$/u);
    renameSync(to, from);
    const resume = join(run, 'checkpoints', 'last.safetensors');
    const { done, folder: resumed } = await trainRun(config, { out: join(folder, 'runs'), resume, chooseEngine });
    assert.deepEqual([resumed, done.state, done.bestAccuracy], [run, 'finished', whole.bestAccuracy]);
    assert.deepEqual(await curveOf(run), whole.curve);
  });
}

test('a run whose features are all kept misses its images too', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await drawTinyDataset(folder);
  const out = join(folder, 'runs');
  const first = await trainRun(tinyConfig(data, { epochs: 1 }), { out, chooseEngine });
  const weights = join(first.folder, 'checkpoints', 'last.safetensors');
  const network = { kind: 'architecture', name: 'ConvNet1', weights } as const;
  const config = tinyConfig(data, { network, method: 'head', augment: 'none', epochs: 3 });
  for (const gone of ['train', 'valid']) {
    const vanish = afterFirstEpoch(() => renameSync(join(data, gone), join(folder, 'away')));
    await assert.rejects(trainRun(config, { out, chooseEngine, ...vanish }), new RegExp(`data/${gone} is no longer there`, 'u')); // prettier-ignore
    renameSync(join(folder, 'away'), join(data, gone));
  }
});

test('a run ends when an image is replaced by another one on the way', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await drawTinyDataset(folder);
  const act = afterFirstEpoch(() => copyFileSync(join(data, 'train/1/0.png'), join(data, 'valid/2/1.png')));
  const run = trainRun(tinyConfig(data), { out: join(folder, 'runs'), name: 'run', chooseEngine, ...act });
  await assert.rejects(run, /valid\/2\/1\.png is no longer the image that the run began with/u);
});

test('what does not decode at first is left out of every validation, which is said, though it is mended on the way', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await drawTinyDataset(folder);
  const broken = join(data, 'valid/2/1.png');
  await writeFile(join(folder, 'whole.png'), await sharp(broken).toBuffer());
  await writeFile(broken, 'no image');
  const act = afterFirstEpoch(() => copyFileSync(join(folder, 'whole.png'), broken));
  const { folder: run } = await trainRun(tinyConfig(data), { out: join(folder, 'runs'), chooseEngine, ...act });
  const said = (await allEvents(run)).flatMap((event) => (event.event === 'log' ? [event.message] : []));
  assert.equal(said.filter((message) => message.includes('same 11 of 12 images: 1 of them does not decode')).length, 1);
});

test('a validation split of which nothing decodes is told as that, and not as a training that diverged', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await drawTinyDataset(folder, 7, 0);
  for (const label of ['1', '10', '2']) {
    await mkdir(join(data, 'valid', label), { recursive: true });
    await writeFile(join(data, 'valid', label, 'a.png'), 'no image');
  }
  const run = trainRun(tinyConfig(data), { out: join(folder, 'runs'), chooseEngine });
  await assert.rejects(run, /None of the validation images can be read/u);
});

test('a resume that validates on other images begins the search for the best anew, and says so', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await drawTinyDataset(folder);
  const out = join(folder, 'runs');
  const { folder: run } = await trainRun(tinyConfig(data, { epochs: 1 }), { out, name: 'run', chooseEngine });
  await writeFile(join(data, 'valid/2/1.png'), 'no image');
  const resume = join(run, 'checkpoints', 'last.safetensors');
  await trainRun(tinyConfig(data, { epochs: 2 }), { out, resume, chooseEngine });
  const events = await allEvents(run);
  const said = events.flatMap((event) => (event.event === 'log' ? [event.message] : []));
  assert.equal(said.filter((text) => text.includes('The 11 validation images are not the 12 from before the resume')).length, 1); // prettier-ignore
  const { best } = await readRunRecord(run);
  const later = events.flatMap((event) => (event.event === 'validation' && event.epoch > 1 ? [event.step] : []));
  assert.ok(later.includes(best?.step ?? -1), 'the best is one of those after the resume');
});

test('copies that were re-encoded are found from what a run decodes anyway, also of test images', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await drawTinyDataset(folder);
  await mkdir(join(data, 'test', '1'), { recursive: true });
  await sharp(join(data, 'train/1/0.png'))
    .webp({ lossless: true })
    .toFile(join(data, 'test', '1', 'copy.webp'));
  const { folder: run } = await trainRun(tinyConfig(data, { epochs: 1 }), { out: join(folder, 'runs'), chooseEngine });
  const { data: report } = await readRunRecord(run);
  const copy = {
    files: ['train/1/0.png', 'test/1/copy.webp'],
    same: 'picture',
    acrossSplits: true,
    acrossClasses: false,
  };
  assert.deepEqual(report?.duplicates, [copy]);
});
