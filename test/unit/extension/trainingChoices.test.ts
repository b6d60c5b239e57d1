import assert from 'node:assert/strict';
import { test } from 'node:test';
import { back, runSteps, type Step } from '../../../src/extension/commands/runSteps.ts';
import {
  configFrom,
  describeOffer,
  firstChoices,
  methodsFor,
  withSettings,
  type TrainingChoices,
} from '../../../src/extension/commands/trainingChoices.ts';
import { parseTrainingConfig, writeTrainingConfig } from '../../../src/extension/commands/trainingConfigFile.ts';
import { parseQueue, enqueue } from '../../../src/extension/trainer/trainingQueue.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const settings = { defaultNetwork: 'resnet18', batchSize: 16 };
const machine = { engine: 'onnx', device: 'cpu', cacheMegabytes: 512 } as const;

test('the last answers come first; where they are not understood, the settings do', () => {
  const first = firstChoices(undefined, settings);
  assert.deepEqual(
    [first.network, first.batchSize],
    [{ kind: 'architecture', name: 'resnet18', pretrained: true }, 16],
  );
  const kept: TrainingChoices = { ...first, epochs: 7, method: 'full' };
  assert.deepEqual(firstChoices(structuredClone(kept), settings), kept);
  assert.deepEqual(firstChoices({ ...kept, method: 'of a later version' }, settings), first);
});

test('a network without pretrained weights trains from scratch, and an ONNX file only its head', () => {
  assert.deepEqual(methodsFor({ kind: 'architecture', name: 'ConvNet2', pretrained: false }), ['scratch']);
  assert.deepEqual(methodsFor({ kind: 'backbone', file: '/m.onnx', preprocess: 'tf' }), ['head']);
  assert.equal(methodsFor({ kind: 'architecture', name: 'resnet18', pretrained: true }).length, 4);
});

test('the choices become a configuration that the trainer takes', () => {
  const first = { ...firstChoices(undefined, settings), data: '/flowers', epochs: 3, balanced: true };
  const config = configFrom(first, machine);
  assert.deepEqual(trainingConfigSchema.parse(JSON.parse(JSON.stringify(config))), config);
  assert.deepEqual(
    [config.method, config.epochs, config.batchSize, config.classWeights, config.device, config.topTensors],
    ['head', 3, 16, 'balanced', 'cpu', undefined],
  );
  assert.equal(configFrom({ ...first, method: 'top', topTensors: 6 }, machine).topTensors, 6);
  const ticked = withSettings(first, { classWeights: 'none', frozenPrecision: 'int8' });
  assert.deepEqual(
    (['head', 'full'] as const).map((method) => configFrom({ ...ticked, method }, machine).frozenPrecision),
    ['int8', 'float32'],
    'where layers are frozen',
  );
  assert.equal(configFrom(ticked, machine).classWeights, 'none');
  const backbone = configFrom(
    { ...first, network: { kind: 'backbone', file: '/m.onnx', preprocess: 'caffe-bgr' } },
    machine,
  );
  assert.ok(backbone.network.kind === 'backbone');
  assert.deepEqual(backbone.network.preprocessing?.channels, 'bgr');
});

test('a network says its size, its accuracy and what has to be downloaded', () => {
  const offer = {
    name: 'densenet169',
    title: 'DenseNet-169',
    parameters: 14_149_480,
    top1: 0.756,
    weightsBytes: 57.4e6,
  };
  assert.deepEqual(describeOffer({ ...offer, weightsHere: false }), {
    description: '14.1 million parameters · 75.6 % on ImageNet',
    detail: '57 MB of pretrained weights to download.',
  });
  assert.equal(describeOffer({ ...offer, weightsHere: true }).detail, 'Pretrained weights are here.');
  const plain = { name: 'ConvNet1', title: 'ConvNet1', parameters: 1000, weightsHere: false };
  assert.match(describeOffer(plain).detail, /from scratch/);
});

test('a file of settings names what lies beside it relatively, and means the same wherever it is read from', () => {
  const config = trainingConfigSchema.parse({
    data: '/projects/flowers',
    network: { kind: 'backbone', file: '/elsewhere/m.onnx' },
    classNames: '/projects/names/cat.json',
    hidden: [],
  });
  const content = writeTrainingConfig(config, '/projects/a.fivecrop.json');
  assert.match(content, /"data": "flowers"/);
  assert.match(content, /"file": "\/elsewhere\/m\.onnx"/);
  assert.deepEqual(parseTrainingConfig(content, '/projects/a.fivecrop.json'), config);
  assert.equal(parseTrainingConfig(content, '/copy/a.fivecrop.json').data, '/copy/flowers');
});

test('a wrong file of settings is refused with its name and the place of the mistake', () => {
  const file = '/projects/a.fivecrop.json';
  const refused = (content: string, reason: RegExp) =>
    assert.throws(
      () => parseTrainingConfig(content, file),
      (error) => error instanceof UserError && reason.test(error.message) && error.message.includes(file),
    );
  refused('{', /not valid JSON/);
  refused('{"data":"x","network":{"kind":"architecture","name":"resnet18"},"epochs":0}', /at epochs/);
  refused('{"data":"x","network":{"kind":"architecture","name":"resnet18"},"epoch":1}', /epoch/);
});

test('a queue survives being kept; an entry of another version is left out', () => {
  const config = trainingConfigSchema.parse({ data: '/d', network: { kind: 'architecture', name: 'resnet18' } });
  const queue = enqueue(enqueue([], { config, out: '/runs' }), { config, out: '/runs', resume: '/c.safetensors' });
  assert.deepEqual(
    queue.map(({ id }) => id),
    [1, 2],
  );
  assert.deepEqual(parseQueue(JSON.parse(JSON.stringify(queue))), queue);
  assert.deepEqual(parseQueue([{ id: 1, request: { out: 3 } }, queue[1]]), queue.slice(1));
  assert.deepEqual(parseQueue('nonsense'), []);
});

test('Back asks the question before again with what was known then, over those with nothing to ask', async () => {
  const asked: string[] = [];
  const script = ['a1', back, 'a2', 'c2'];
  const question =
    (name: string): Step<string> =>
    (state) => {
      asked.push(`${name}(${state})`);
      const answer = script.shift();
      assert.ok(answer !== undefined);
      return Promise.resolve(answer === back ? back : `${state}${answer as string}`);
    };
  const nothing: Step<string> = () => Promise.resolve(undefined);
  assert.equal(await runSteps('title', '', [question('a'), nothing, question('c')]), 'a2c2');
  assert.deepEqual(asked, ['a()', 'c(a1)', 'a()', 'c(a2)']);
});

test('Back from where the questions were taken up leads to those before, over those with nothing to ask', async () => {
  const asked: string[] = [];
  const script: (typeof back | undefined)[] = [back, undefined, undefined];
  const question =
    (name: string): Step<string> =>
    (state) => {
      asked.push(name);
      return Promise.resolve(script.shift() ?? `${state}${name}`);
    };
  const nothing: Step<string> = () => Promise.resolve(undefined);
  assert.equal(await runSteps('title', '', [question('a'), nothing, question('c')], 2), 'ac');
  assert.deepEqual(asked, ['c', 'a', 'c']);
});
