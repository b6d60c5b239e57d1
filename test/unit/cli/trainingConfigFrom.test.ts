import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { configOptions } from '../../../src/ml/cli/configFlags.ts';
import { normaliseArguments } from '../../../src/ml/cli/normaliseArguments.ts';
import { trainCommand } from '../../../src/ml/cli/trainCommand.ts';
import { trainingConfigFrom } from '../../../src/ml/cli/trainingConfigFrom.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { writeRun } from '../extension/storedRun.ts';

/** The configuration of a command line as a user types it, flags parsed by the real command. */
async function configOf(line: string) {
  const command = trainCommand()
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  let parsed: Promise<unknown> | undefined;
  command.action((data: string | undefined, options: Record<string, unknown>) => {
    parsed = trainingConfigFrom(data, options);
  });
  await command.parseAsync(normaliseArguments(line.split(' ')), { from: 'user' });
  return trainingConfigSchema.parse(await parsed);
}

const usage = (message: RegExp) => ({ name: 'UserError', kind: 'usage', message });

test("without flags everything is as the schema's defaults and the report's network say", async () => {
  const network = { kind: 'architecture' as const, name: 'densenet169' };
  assert.deepEqual(await configOf('flowers'), trainingConfigSchema.parse({ data: resolve('flowers'), network }));
});

test('every setting of the schema has a flag, and every flag a description', () => {
  const named = new Set(['$schema', 'version', 'data', 'network']);
  const fields = Object.keys(trainingConfigSchema.shape).filter((field) => !named.has(field));
  assert.equal(configOptions().length, fields.length);
  for (const option of configOptions()) assert.match(option.description, /\w{4}/, option.flags);
});

test("the report's command lines mean what they say", async () => {
  const config = await configOf(
    'flowers --gpu --epochs=5 --arch=resnet18 --learning_rate=0.01 --hidden_units 512 --category_names c.json',
  );
  const { device, epochs, network, learningRate, hidden, classNames } = config;
  assert.deepEqual(
    { device, epochs, network, learningRate, hidden, classNames },
    {
      device: 'gpu',
      epochs: 5,
      network: { kind: 'architecture', name: 'resnet18' },
      learningRate: 0.01,
      hidden: [512],
      classNames: resolve('c.json'),
    },
  );
  assert.equal((await configOf('flowers --no-pretrained')).method, 'scratch');
  assert.equal((await configOf('flowers --weights none')).method, 'scratch');
  assert.equal((await configOf('flowers --pretrained')).method, 'head');
});

test('--no_of_trainable counts as the report did, on the network before its classifier was replaced', async () => {
  assert.equal((await configOf('flowers --no_of_trainable=0')).method, 'head');
  // 508 are all of DenseNet-169, of which 2 were its classifier; the head of one hidden layer has 4.
  const all = await configOf('flowers --no_of_trainable=508');
  assert.deepEqual([all.method, all.topTensors], ['top', 506 + 4]);
  const some = await configOf('flowers --no_of_trainable 12 --hidden none');
  assert.deepEqual([some.method, some.topTensors, some.hidden], ['top', 10 + 2, []]);
});

test('--top-tensors implies the method, and the method asks for it', async () => {
  assert.equal((await configOf('flowers --top-tensors 7')).method, 'top');
  await assert.rejects(configOf('flowers --method top'), usage(/--top-tensors/));
});

test('a backbone takes a preset, and single flags say otherwise', async () => {
  const config = await configOf('flowers --backbone b.onnx --preprocess tf --channels bgr --scale 1/255');
  assert.deepEqual(config.network, {
    kind: 'backbone',
    file: resolve('b.onnx'),
    preprocessing: { scale: 1 / 255, mean: [1, 1, 1], std: [1, 1, 1], channels: 'bgr' },
  });
});

test('wrong values are usage errors that name the flag', async () => {
  await assert.rejects(configOf('flowers --epochs 0'), usage(/^--epochs/));
  await assert.rejects(configOf('flowers --epochs five'), usage(/^--epochs takes a number/));
  for (const hidden of ['', '512,', 'some']) {
    const message = /^--hidden takes numbers separated by commas, or none/;
    await assert.rejects(configOf(`flowers --hidden=${hidden}`), usage(message));
  }
  await assert.rejects(configOf('flowers --method some'), usage(/--method some.*head, top, lora, full, scratch/));
  await assert.rejects(configOf('flowers --preprocess tf'), usage(/--backbone/));
  await assert.rejects(configOf('flowers --backbone b.onnx --preprocess pytorch'), usage(/imagenet, tf, caffe-bgr/));
  await assert.rejects(configOf('flowers --method head --weights none'), usage(/everything trains/));
  await assert.rejects(configOf('flowers --backbone b.onnx --std 0'), usage(/--std/));
  await assert.rejects(configOf('--epochs 1'), usage(/Name the folder/));
  await assert.rejects(configOf('flowers --backbone b.onnx --arch resnet18'), { code: 'commander.conflictingOption' });
});

test('a configuration file gives the settings, its paths are relative to it, and flags override', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'run.fivecrop.json');
  const network = { kind: 'architecture', name: 'resnet18', weights: 'w.pth' };
  await writeFile(file, JSON.stringify({ data: 'images', network, epochs: 9, seed: 4 }));
  const config = await configOf(`--config ${file} --seed 5`);
  assert.deepEqual(
    [config.data, config.epochs, config.seed, config.network],
    [join(folder, 'images'), 9, 5, { ...network, weights: join(folder, 'w.pth') }],
  );
  await writeFile(file, JSON.stringify({ data: 'images', network, epoch: 9 }));
  await assert.rejects(configOf(`--config ${file}`), { name: 'UserError', message: /epoch/ });
  await writeFile(file, '{');
  await assert.rejects(configOf(`--config ${file}`), { name: 'UserError', message: /not valid JSON/ });
});

test("a resumed run takes its record's settings, and flags override them", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(parent, { recursive: true }));
  const network = { kind: 'architecture', name: 'ConvNet1' } as const;
  const own = trainingConfigSchema.parse({ data: parent, network, epochs: 2 });
  const folder = await writeRun(parent, 'run', { config: own });
  const config = await configOf(`--resume ${join(folder, 'checkpoints', 'last.safetensors')} --epochs 7`);
  assert.deepEqual([config.data, config.epochs, config.network], [parent, 7, network]);
  await assert.rejects(configOf('--resume nowhere/checkpoints/last.safetensors'), { name: 'UserError' });
});

test('a network is known by its name in any capitals', async () => {
  const nameOf = async (arch: string) => (await configOf(`flowers --arch ${arch} --method scratch`)).network;
  assert.deepEqual(await nameOf('convnet12'), { kind: 'architecture', name: 'ConvNet12' });
  assert.deepEqual(await nameOf('ResNet18'), { kind: 'architecture', name: 'resnet18' });
});
