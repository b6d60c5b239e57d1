import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Engine } from '../../../src/ml/engine/engine.ts';
import { onnxEngine, onnxEngineAside } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { profileLines } from '../../../src/ml/cli/profileLines.ts';
import { allEvents } from '../../unit/runs/allEvents.ts';
import { trainRun } from '../../../src/ml/training/run/trainRun.ts';
import { runProfileSchema } from '../../../src/protocol/runProfile.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';

const choosing = (engine: Engine) => () => Promise.resolve({ engine, device: 'cpu', fallbacks: [] });
const chooseEngine = choosing(onnxEngine);

test('a profiled run says where the time of a step went, by part, phase, operator and layer', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { validateEvery: 100 });
  const out = join(folder, 'runs');
  const options = { out, name: 'profiled', profileSteps: 4, chooseEngine: choosing(onnxEngineAside()) };
  const { profile, folder: run } = await trainRun(config, options);
  assert.ok(profile);
  assert.deepEqual(runProfileSchema.parse(JSON.parse(await readFile(join(run, 'profile.json'), 'utf8'))), profile);
  assert.deepEqual(
    (await readdir(run)).filter((name) => name.startsWith('trace')),
    [],
    'no trace is left behind',
  );
  // Ten steps, a validation after five: of the four after the warm-up one has it.
  assert.equal(profile.steps, 3);
  assert.equal(profile.validation.count, 2);
  assert.equal(profile.saving.count, 2);
  const { seconds, images, frozenNetwork, trainingStep, other } = profile.step;
  assert.ok(Math.abs(images + frozenNetwork + trainingStep + other - seconds) < 0.05 * seconds, JSON.stringify(profile.step)); // prettier-ignore
  const step = profile.models.find((model) => model.part === 'training step' && model.batchSize === 5);
  const inPlace = profile.models.find(({ purpose }) => purpose === 'update in place');
  assert.ok(inPlace && inPlace.phases.update > 0 && inPlace.seconds < trainingStep);
  assert.ok(step, 'the model of the whole batch');
  const { forward, backward, update } = step.phases;
  assert.ok(forward > 0 && backward > 0 && update > 0);
  assert.ok(Math.abs(forward + backward + update - step.kernelSeconds) < 1e-9);
  assert.ok(Math.abs(step.kernelSeconds + step.outsideSeconds - step.seconds) < 1e-9);
  assert.deepEqual(Object.keys(step.providers), ['CPUExecutionProvider']);
  const sum = (entries: readonly { seconds: number }[]) => entries.reduce((total, entry) => total + entry.seconds, 0);
  for (const entries of [step.operators, step.kernels]) assert.ok(Math.abs(sum(entries) - step.kernelSeconds) < 1e-9);
  const names = step.layers.map(({ name }) => name);
  for (const name of ['input', 'layer1.0', 'fc.output']) assert.ok(names.includes(name), names.join());
  assert.ok(profile.models.some(({ part, layers }) => part === 'validation' && layers.some(({ name }) => name === 'layer1.0'))); // prettier-ignore
  const lines = profileLines(profile).join('\n');
  assert.match(lines, /training step \(full\) of 5 images/);
  assert.match(lines, /conv2dWeightGradient {2}/);
  assert.match(lines, /training step \(update in place\)/);
  const short = profileLines({ ...profile, steps: 0 });
  assert.match(short.join(), /There is no profile: the run did not take 3 steps in a row/, 'instead of zeros');
});

test('a step whose batch goes through the frozen network in parts is watched whole', async (context) => {
  const folder = await temporaryFolder(context);
  const data = await drawTinyDataset(folder, 20);
  const options = { out: join(folder, 'runs'), chooseEngine };
  // Smaller images would all go at once.
  const size = { imageSize: 224, resize: 224, epochs: 1, validateEvery: 100 };
  const { folder: first } = await trainRun(tinyConfig(data, size), options);
  const weights = join(first, 'checkpoints', 'last.safetensors');
  const network = { kind: 'architecture', name: 'ConvNet1', weights } as const;
  const config = tinyConfig(data, { ...size, network, method: 'head', batchSize: 10 });
  const { profile } = await trainRun(config, { ...options, profileSteps: 2 });
  assert.ok(profile);
  assert.equal(profile.steps, 2);
  const frozen = profile.models.find(({ part }) => part === 'frozen network');
  assert.ok(frozen && frozen.batchSize < 10, 'it takes fewer images at a time');
  assert.ok(profile.step.frozenNetwork > frozen.seconds, 'its time in a step is that of several runs');
  assert.ok(profile.step.trainingStep > 0);
});

test('profiling changes no number, and a run without it has no profile', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { epochs: 1 });
  const out = join(folder, 'runs');
  const losses = async (name: string, profileSteps?: number) => {
    const { folder: run } = await trainRun(config, {
      out,
      name,
      chooseEngine,
      ...(profileSteps ? { profileSteps } : {}),
    });
    const events = await allEvents(run);
    return { run, losses: events.flatMap((event) => (event.event === 'step' ? [event.loss] : [])) };
  };
  const plain = await losses('plain');
  const profiled = await losses('profiled', 2);
  assert.deepEqual(profiled.losses, plain.losses);
  assert.equal((await readdir(plain.run)).includes('profile.json'), false);
});
