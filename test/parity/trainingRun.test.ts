import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { scanDataset } from '../../src/ml/data/scanDataset.ts';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { evaluate } from '../../src/ml/inference/evaluate.ts';
import { loadClassifier } from '../../src/ml/inference/loadClassifier.ts';
import { createTrainingControl } from '../../src/ml/training/run/control.ts';
import type { EngineChooser } from '../../src/ml/training/run/engineChooser.ts';
import { listRuns } from '../../src/runs/list.ts';
import { readRunRecord } from '../../src/runs/record.ts';
import { allEvents } from '../unit/runs/allEvents.ts';
import { trainRun, type TrainRunOptions } from '../../src/ml/training/run/trainRun.ts';
import { readCheckpoint, readResumePoint } from '../../src/ml/weights/checkpoint.ts';
import { UserError } from '../../src/protocol/errors.ts';
import type { TrainingEvent, TrainingEventOf } from '../../src/protocol/trainingEvents.ts';
import { trainingEventSchema } from '../../src/protocol/trainingEvents.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../unit/training/tinyDataset.ts';

const chooseEngine: EngineChooser = () =>
  Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: ['a fallback that is told'] });

function of<Name extends TrainingEvent['event']>(events: readonly TrainingEvent[], name: Name) {
  return events.filter((event): event is TrainingEventOf<Name> => event.event === name);
}

/** What has to be the same in a run that was interrupted and in one that was not. */
function numbers(events: readonly TrainingEvent[]) {
  return {
    steps: of(events, 'step').map(({ step, epoch, loss, learningRate }) => ({ step, epoch, loss, learningRate })),
    validations: of(events, 'validation').map(({ step, trainLoss, validLoss, validAccuracy, validTop5 }) => ({
      step,
      trainLoss,
      validLoss,
      validAccuracy,
      validTop5,
    })),
  };
}

test('a run writes its record, its curves and its checkpoints, and the loss falls', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { epochs: 4, pinnedImages: 2, learningRate: 0.003 });
  const heard: TrainingEvent[] = [];
  const out = join(folder, 'runs');
  const result = await trainRun(config, { out, chooseEngine, onEvent: (event) => heard.push(event) });
  const events = await allEvents(result.folder);
  assert.deepEqual(events, heard, 'what is heard is what is written');
  for (const event of events) trainingEventSchema.parse(event);
  // 21 images in batches of 5: 5 steps an epoch, validated at 3, 5, 6, 9, 10, ...
  const [start] = of(events, 'start');
  assert.deepEqual([start?.stepsPerEpoch, start?.totalSteps, start?.trainImages, start?.validImages], [5, 20, 21, 12]);
  assert.deepEqual(of(events, 'step').map(({ step }) => step), Array.from({ length: 20 }, (_, index) => index + 1)); // prettier-ignore
  assert.deepEqual(of(events, 'validation').map(({ step }) => step), [3, 5, 6, 9, 10, 12, 15, 18, 20]); // prettier-ignore
  const validations = of(events, 'validation');
  assert.ok((validations.at(-1)?.validLoss ?? 9) < (validations[0]?.validLoss ?? 0), 'the validation loss falls');
  assert.ok(result.done.bestAccuracy !== undefined && result.done.bestAccuracy > 0.9, `${result.done.bestAccuracy}`);
  assert.equal(of(events, 'pinned')[0]?.predictions.length, 2);
  assert.equal(of(events, 'log').filter(({ message }) => message === 'a fallback that is told').length, 1);
  const record = await readRunRecord(result.folder);
  assert.deepEqual([record.state, record.progress?.step, record.data?.images.train], ['finished', 20, 21]);
  assert.match(record.environment.engineVersion ?? '', /^\d+\.\d+/u);
  assert.equal(record.best?.validAccuracy, Math.max(...validations.map(({ validAccuracy }) => validAccuracy)));
  const { metadata } = await readCheckpoint(result.done.best ?? '');
  assert.deepEqual(metadata.classes.map(({ folder: name }) => name), ['1', '10', '2']); // prettier-ignore
  assert.equal(metadata.training.step, record.best.step);
  assert.equal(metadata.metrics.validAccuracy, record.best.validAccuracy);
});

test('a run resumed from any of its checkpoints gives the numbers of one that was not interrupted', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { schedule: 'cosine', warmupSteps: 2, earlyStop: 5 });
  const options = { out: join(folder, 'runs'), chooseEngine };
  const whole = await trainRun(config, { ...options, name: 'whole' });
  const expected = numbers(await allEvents(whole.folder));
  assert.equal(expected.steps.length, 10);

  const control = createTrainingControl();
  const onEvent = (event: TrainingEvent) => {
    if (event.event === 'step' && event.step === 7) control.stop();
  };
  const stopped = await trainRun(config, { ...options, name: 'stopped', control, onEvent });
  assert.equal(stopped.done.state, 'stopped');
  assert.equal(stopped.done.step, 7);
  assert.equal(stopped.done.reason, 'Stopped after step 7 of 10.');
  const best = await readResumePoint(stopped.done.best ?? '');
  assert.ok(best.resume.step < 7, 'the best checkpoint lies before the last one');

  const fromBest = await trainRun(config, { ...options, resume: stopped.done.best ?? '' });
  assert.notEqual(fromBest.folder, stopped.folder, 'nothing of the stopped run is overwritten');
  assert.deepEqual(numbers(await allEvents(fromBest.folder)), expected, 'from best, in a folder of its own');

  const fromLast = await trainRun(config, { ...options, resume: stopped.done.last ?? '' });
  assert.equal(fromLast.folder, stopped.folder);
  assert.deepEqual(numbers(await allEvents(fromLast.folder)), expected, 'from last, in the same folder');

  const states = await Promise.all([whole, fromBest, fromLast].map((run) => readCheckpoint(run.done.last ?? '')));
  for (const { state } of states) assert.deepEqual(state, states[0]?.state);
  assert.equal((await listRuns(options.out)).runs.length, 3);
});

test('kept features give the numbers of computed ones, also in a run that is resumed', async (context) => {
  const folder = await temporaryFolder(context);
  const options = { out: join(folder, 'runs'), chooseEngine };
  const data = await drawTinyDataset(folder);
  const trained = await trainRun(tinyConfig(data, { epochs: 1 }), options);
  const network = { kind: 'architecture', name: 'ConvNet1', weights: trained.done.last ?? '' } as const;
  const head = (settings: Parameters<typeof tinyConfig>[1]) =>
    tinyConfig(data, { network, method: 'head', ...settings });
  const numbersOf = async (run: { readonly folder: string }) => numbers(await allEvents(run.folder));

  const fresh = await trainRun(head({ epochs: 3 }), options);
  const asMany = await trainRun(head({ epochs: 3, featureViews: 3 }), options);
  assert.deepEqual(await numbersOf(asMany), await numbersOf(fresh), 'as many views as epochs');

  const config = head({ epochs: 4, featureViews: 2, cacheMegabytes: 0 });
  const whole = await trainRun(config, options);
  const inMemory = await trainRun({ ...config, cacheMegabytes: 64 }, options);
  assert.deepEqual(await numbersOf(inMemory), await numbersOf(whole), 'kept in memory and on disk');
  assert.notDeepEqual((await numbersOf(whole)).steps.slice(10), (await numbersOf(fresh)).steps.slice(10));
  const control = createTrainingControl();
  const onEvent = (event: TrainingEvent) => {
    if (event.event === 'step' && event.step === 13) control.stop();
  };
  const stopped = await trainRun(config, { ...options, name: 'stopped', control, onEvent });
  const resumed = await trainRun(config, { ...options, resume: stopped.done.last ?? '' });
  assert.deepEqual(await numbersOf(resumed), await numbersOf(whole), 'resumed');
});

/** A checkpoint's loss on the validation images, as `fivecrop test` finds it. */
async function lossOf(file: string, data: string): Promise<number> {
  const classifier = await loadClassifier({ kind: 'checkpoint', file }, { engine: onnxEngine, device: 'cpu' });
  const { splits } = await scanDataset(data, { validShare: 0.15, testShare: 0.15, seed: 0 });
  const { loss } = await evaluate(classifier, splits.valid, { cropCount: 1 });
  await classifier.dispose();
  return loss;
}

test('frozen layers in 8 bits train the head about as well, also in a run that is resumed', async (context) => {
  const folder = await temporaryFolder(context);
  const options = { out: join(folder, 'runs'), chooseEngine };
  const data = await drawTinyDataset(folder);
  const trained = await trainRun(tinyConfig(data, { epochs: 1 }), options);
  const network = { kind: 'architecture', name: 'ConvNet1', weights: trained.done.last ?? '' } as const;
  const config = tinyConfig(data, { network, method: 'head', epochs: 4, frozenPrecision: 'int8' });
  const whole = await trainRun(config, options);
  const events = await allEvents(whole.folder);
  assert.equal(of(events, 'log').filter(({ message }) => message.startsWith('Computed in 8 bits')).length, 1);
  const exact = numbers(await allEvents((await trainRun({ ...config, frozenPrecision: 'float32' }, options)).folder));
  const [found, wanted] = [numbers(events), exact];
  assert.notDeepEqual(found, wanted);
  for (const [index, { loss }] of wanted.steps.entries()) {
    const difference = Math.abs((found.steps[index]?.loss ?? 0) - loss);
    assert.ok(difference < 0.1 * Math.max(1, loss), `step ${index + 1}: ${found.steps[index]?.loss} for ${loss}`);
  }
  const tested = await lossOf(whole.done.last ?? '', data);
  const validated = found.validations.at(-1)?.validLoss ?? Number.NaN;
  assert.ok(Math.abs(tested - validated) < 1e-5, `validated in float32: ${validated} for ${tested}`);
  const control = createTrainingControl();
  const onEvent = (event: TrainingEvent) => {
    if (event.event === 'step' && event.step === 13) control.stop();
  };
  const stopped = await trainRun(config, { ...options, name: 'stopped in 8 bits', control, onEvent });
  const resumed = await trainRun(config, { ...options, resume: stopped.done.last ?? '' });
  assert.deepEqual(numbers(await allEvents(resumed.folder)), found, 'resumed');
});

test('settings for frozen layers are refused where no layer is frozen, before a folder is made', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder, 2, 1), { method: 'scratch' });
  const options: TrainRunOptions = { out: join(folder, 'runs'), chooseEngine };
  await assert.rejects(trainRun({ ...config, featureViews: 1 }, options), /feature-views/u);
  await assert.rejects(trainRun({ ...config, frozenPrecision: 'int8' }, options), /frozen-precision/u);
  assert.deepEqual(await listRuns(options.out), { runs: [], unreadable: [] });
});

test('a stop that meets a validation does not wait for it, and the resumed run makes up for it', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { earlyStop: 5 });
  const options = { out: join(folder, 'runs'), chooseEngine };
  const whole = await trainRun(config, { ...options, name: 'whole' });
  const expected = numbers(await allEvents(whole.folder));
  // Step 3 is validated in the middle of an epoch, step 5 at the end of one.
  for (const at of [3, 5]) {
    const control = createTrainingControl();
    const onEvent = (event: TrainingEvent) => {
      if (event.event === 'step' && event.step === at) control.stop();
    };
    const stopped = await trainRun(config, { ...options, name: `stopped at ${at}`, control, onEvent });
    assert.deepEqual([stopped.done.state, stopped.done.step], ['stopped', at]);
    assert.ok(of(await allEvents(stopped.folder), 'validation').every(({ step }) => step < at));
    const resumed = await trainRun(config, { ...options, resume: stopped.done.last ?? '' });
    assert.deepEqual(numbers(await allEvents(resumed.folder)), expected);
  }
});

test('a run that cannot be resumed says why', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { epochs: 1 });
  const options = { out: join(folder, 'runs'), chooseEngine };
  const run = await trainRun(config, options);
  const resume = run.done.last ?? '';
  const refused = (settings: Parameters<typeof tinyConfig>[1], pattern: RegExp) =>
    assert.rejects(trainRun(tinyConfig(config.data, settings), { ...options, resume }), pattern);
  await refused({ batchSize: 4, epochs: 2 }, /batchSize/u);
  await refused({ network: { kind: 'architecture', name: 'ConvNet2' } }, /another network/u);
  const more = await trainRun(tinyConfig(config.data, { epochs: 2 }), { ...options, resume });
  assert.deepEqual([more.folder, more.done.step], [run.folder, 10]);
});

test('what is wrong with the configuration or the data is told before a folder is made', async (context) => {
  const folder = await temporaryFolder(context);
  const data = await drawTinyDataset(folder, 2, 1);
  const options: TrainRunOptions = { out: join(folder, 'runs'), chooseEngine };
  const network = { kind: 'architecture', name: 'resnet19' } as const;
  await assert.rejects(trainRun(tinyConfig(data, { network }), options), UserError);
  await assert.rejects(trainRun(tinyConfig(join(folder, 'nothing')), options), UserError);
  await assert.rejects(trainRun(tinyConfig(data, { method: 'top' }), options), /topTensors/u);
  assert.deepEqual(await listRuns(options.out), { runs: [], unreadable: [] });
});

test('a loss that runs away ends the run with a sentence and keeps the last good checkpoint', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), {
    optimizer: 'sgd',
    learningRate: 1000,
    weightDecay: 10,
    schedule: 'constant',
    warmupSteps: 0,
    validateEvery: 1,
  });
  const options = { out: join(folder, 'runs'), chooseEngine, name: 'wild' };
  await assert.rejects(trainRun(config, options), /diverged/u);
  const record = await readRunRecord(join(options.out, 'wild'));
  assert.equal(record.state, 'failed');
  assert.match(record.reason ?? '', /learning rate/u);
  const done = of(await allEvents(join(options.out, 'wild')), 'done');
  assert.equal(done[0]?.state, 'failed');
});

test('an image that does not decode is left out, listed with its reason, and does not disturb the run', async (context) => {
  const folder = await temporaryFolder(context);
  const data = await drawTinyDataset(folder);
  await writeFile(join(data, 'train', '1', 'broken.png'), 'no image');
  await writeFile(join(data, 'valid', '2', 'broken.png'), 'no image');
  const result = await trainRun(tinyConfig(data, { epochs: 1 }), { out: join(folder, 'runs'), chooseEngine });
  const record = await readRunRecord(result.folder);
  assert.equal(record.state, 'finished');
  assert.deepEqual(record.data?.undecodable.map(({ file }) => file).sort(), ['train/1/broken.png', 'valid/2/broken.png']); // prettier-ignore
  const accuracy = of(await allEvents(result.folder), 'validation').at(-1)?.validAccuracy ?? NaN;
  const right = accuracy * 12;
  assert.ok(Math.abs(right - Math.round(right)) < 1e-9, `${accuracy} is no share of the 12 images that decode`);
});

test('a run pauses between two steps, saves, and goes on', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { epochs: 1 });
  const control = createTrainingControl();
  const states: string[] = [];
  const onEvent = (event: TrainingEvent) => {
    if (event.event === 'step' && event.step === 2) control.pause();
    if (event.event !== 'state') return;
    states.push(event.state);
    if (event.state === 'paused') setTimeout(control.resume, 50);
  };
  const result = await trainRun(config, { out: join(folder, 'runs'), chooseEngine, control, onEvent });
  assert.deepEqual(states, ['preparing', 'running', 'paused', 'running', 'finished']);
  const saved = of(await allEvents(result.folder), 'checkpoint').find(({ step }) => step === 2);
  assert.equal(basename(saved?.path ?? ''), 'last.safetensors');
});

test('a run whose folder vanishes ends with a sentence, and the folder does not come back', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { validateEvery: 100 });
  const out = join(folder, 'runs');
  const onEvent = (event: TrainingEvent) => {
    if (event.event === 'step' && event.step === 2) rmSync(join(out, 'gone'), { recursive: true });
  };
  const run = trainRun(config, { out, name: 'gone', chooseEngine, onEvent });
  await assert.rejects(
    run,
    (error) => error instanceof UserError && error.message.includes('was moved, deleted or replaced'),
  );
  assert.equal(existsSync(join(out, 'gone')), false);
});

test('an early stop ends a run that gets no better', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { epochs: 30, earlyStop: 1, learningRate: 1e-30 });
  const result = await trainRun(config, { out: join(folder, 'runs'), chooseEngine });
  assert.equal(result.done.state, 'finished');
  assert.ok(result.done.step < 150, `${result.done.step}`);
  assert.match(result.done.reason, /did not improve for 1 epoch,/u);
});
