import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runFiles } from '../../../src/protocol/runRecord.ts';
import type { TrainingConfig } from '../../../src/protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createTrainingControl } from '../../../src/ml/training/run/control.ts';
import { trainRun } from '../../../src/ml/training/run/trainRun.ts';
import { readCheckpoint } from '../../../src/ml/weights/checkpoint.ts';
import { readSafetensors } from '../../../src/ml/weights/safetensors.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';

const chooseEngine = () => Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: [] });

/** Everything at once: the average, mixing, layers that join later at rates of their own, and images that grow. */
async function demandingRun(t: TestContext): Promise<{ config: TrainingConfig; out: string }> {
  const out = await temporaryFolder(t);
  const data = await drawTinyDataset(out);
  const first = await trainRun(tinyConfig(data, { epochs: 1 }), { out, name: 'weights', chooseEngine });
  const config = tinyConfig(data, {
    network: { kind: 'architecture', name: 'ConvNet1', weights: first.done.last ?? '' },
    ...{ method: 'full', epochs: 3, imageSize: 64, resize: 68, startSize: 32 },
    ...{ emaDecay: 0.8, mixup: 0.4, cutmix: 1, layerDecay: 0.7, unfreezeEpochs: 2, sampling: 'balanced' },
    ...{ schedule: 'cosine', minLearningRate: 1e-5, focalGamma: 1, optimizer: 'adamw', weightDecay: 0.01 },
  });
  return { config, out };
}

function curveOf(run: string): (number | string)[] {
  const lines = readFileSync(join(run, runFiles.metrics), 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const event = JSON.parse(line) as TrainingEvent;
    if (event.event === 'step') return [`${event.step} ${event.loss} ${event.learningRate}`];
    return event.event === 'validation' ? [`${event.step} validation ${event.validLoss} ${event.validAccuracy}`] : [];
  });
}

test('a run with all that a recipe can ask for goes on bit for bit from wherever it was stopped', async (t) => {
  const { config, out } = await demandingRun(t);
  const whole = await trainRun(config, { out, name: 'whole', chooseEngine });
  assert.equal(whole.done.state, 'finished');
  const expected = curveOf(whole.folder);
  const last = (folder: string) => join(folder, runFiles.checkpoints, runFiles.last);
  const { state } = await readCheckpoint(last(whole.folder));
  // At the end of an epoch, before larger images and a layer that joins, and within one.
  for (const stopAfter of [5, 8]) {
    const control = createTrainingControl();
    const name = `stopped-${stopAfter}`;
    const onEvent = (event: TrainingEvent) => {
      if (event.event === 'step' && event.step === stopAfter) control.stop();
    };
    const stopped = await trainRun(config, { out, name, chooseEngine, control, onEvent });
    assert.equal(stopped.done.state, 'stopped');
    const resumed = await trainRun(config, { out, resume: stopped.folder, chooseEngine });
    assert.equal(resumed.done.state, 'finished');
    assert.deepEqual(curveOf(resumed.folder), expected, `stopped after ${stopAfter}`);
    const { state: end } = await readCheckpoint(last(resumed.folder));
    for (const [tensor, { data }] of state) assert.deepEqual(end.get(tensor)?.data, data, tensor);
  }
});

test('a run that is to end after an epoch keeps its schedule, and goes on bit for bit to all its epochs', async (t) => {
  const out = await temporaryFolder(t);
  const config = tinyConfig(await drawTinyDataset(out), { epochs: 2, schedule: 'cosine' });
  const whole = await trainRun(config, { out, name: 'whole', chooseEngine });
  const first = await trainRun(config, { out, name: 'parts', chooseEngine, untilEpoch: 1 });
  assert.deepEqual(
    [first.done.state, first.done.step, first.done.reason],
    ['stopped', whole.done.step / 2, 'Stopped after epoch 1 of 2, as asked for.'],
  );
  const last = await trainRun(config, { out, resume: first.folder, chooseEngine });
  assert.equal(last.done.state, 'finished');
  assert.deepEqual(curveOf(last.folder), curveOf(whole.folder));
});

test('a checkpoint holds the averages of the weights, and the file beside it the weights too', async (t) => {
  const out = await temporaryFolder(t);
  const data = await drawTinyDataset(out);
  const run = await trainRun(tinyConfig(data, { emaDecay: 0.8 }), { out, chooseEngine });
  const { state, metadata } = await readCheckpoint(run.done.last ?? '');
  const beside = await readSafetensors(join(run.folder, runFiles.checkpoints, metadata.resume ?? ''));
  const name = 'fc.output.weight';
  assert.deepEqual(beside.state.get(`${name}.average`)?.data, state.get(name)?.data);
  assert.notDeepEqual(beside.state.get(name)?.data, state.get(name)?.data);
});

test('layers join from the head back, each at its share of the rate', async (t) => {
  const { config, out } = await demandingRun(t);
  const start = await readCheckpoint(join(out, 'weights', runFiles.checkpoints, runFiles.last));
  const moved = new Map<number, string[]>();
  for (const epochs of [1, 3]) {
    const run = await trainRun({ ...config, epochs, startSize: undefined, batchNorm: 'running' }, { out, name: `${epochs} epochs`, chooseEngine }); // prettier-ignore
    const { state } = await readCheckpoint(run.done.last ?? '');
    moved.set(
      epochs,
      [...state].filter(([name, { data }]) => !sameValues(data, start.state.get(name)?.data)).map(([name]) => name),
    );
  }
  assert.deepEqual(
    moved.get(1)?.filter((name) => name.startsWith('conv1') || name.startsWith('batchnorm')),
    [],
  );
  assert.ok(moved.get(3)?.includes('conv1.weight'));
});

function sameValues(a: ArrayLike<unknown>, b: ArrayLike<unknown> | undefined): boolean {
  return b !== undefined && Array.from(a).every((value, index) => value === b[index]);
}
