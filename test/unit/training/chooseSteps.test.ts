import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givenConfigSchema, type TrainingConfigInput } from '../../../src/protocol/trainingConfig.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { chooseSteps, keepSteps } from '../../../src/ml/training/run/chooseSteps.ts';

const auto = (settings: Partial<TrainingConfigInput> = {}, name = 'resnet18') =>
  givenConfigSchema.parse({
    ...{ data: 'd', network: { kind: 'architecture', name }, batchSize: 'auto', learningRate: 'auto' },
    ...settings,
  });
const chosen = (images: number, settings: Partial<TrainingConfigInput> = {}, name = 'resnet18') => {
  const { batchSize, learningRate } = chooseSteps(auto(settings, name), namedNetwork(name), images).config;
  return [batchSize, learningRate];
};

test('an epoch of few images has 32 steps or more where batches of 8 allow that, and batches end at 64', () => {
  const sizes = [1, 200, 256, 511, 512, 1024, 2000, 2048, 1e6].map((images) => chosen(images)[0]);
  assert.deepEqual(sizes, [8, 8, 8, 8, 16, 32, 32, 64, 64]);
  assert.deepEqual(chosen(200, { method: 'full' })[0], 16);
  assert.deepEqual(chosen(200, { method: 'full', batchNorm: 'running' })[0], 8);
});

test('a batch never has more pixels than a run allows', () => {
  assert.deepEqual(chosen(1e6, { imageSize: 2048 })[0], 21);
});

test('the rate is that of the method, lower for layers of a transformer, and grows with the batch', () => {
  const rates = (name: string) => (['head', 'lora', 'full', 'scratch'] as const).map((method) => chosen(1024, { method }, name)[1]); // prettier-ignore
  assert.deepEqual(rates('resnet18'), [0.001, 0.0005, 0.0001, 0.001]);
  assert.deepEqual(rates('vit_b_32'), [0.001, 0.0005, 0.00003, 0.0003]);
  assert.deepEqual(chosen(200)[1], 0.0005);
  assert.deepEqual(chosen(200, { optimizer: 'sgd' })[1], 0.0025);
});

test('what was given stays, and the log hears of what was chosen only', () => {
  const network = namedNetwork('resnet18');
  const { config, sentence } = chooseSteps(auto({ batchSize: 24 }), network, 900);
  assert.deepEqual([config.batchSize, config.learningRate], [24, 0.00087]);
  assert.equal(sentence, 'Chose the learning rate 0.00087 for 900 training images, the method head and the optimizer adam.'); // prettier-ignore
  assert.equal(chooseSteps(config, network, 900).sentence, undefined);
});

test('a run that goes on keeps what was chosen for it', () => {
  const before = chooseSteps(auto(), namedNetwork('resnet18'), 900).config;
  const { batchSize, learningRate } = keepSteps(auto({ learningRate: 0.5 }), before);
  assert.deepEqual([batchSize, learningRate], [before.batchSize, 0.5]);
});
