import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import { UserError } from '../../../src/protocol/errors.ts';
import type { TrainingModel, TrainingOptions } from '../../../src/ml/engine/engine.ts';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import type { Optimizer } from '../../../src/ml/operators/optimizer/optimizer.ts';
import { testTraining } from './trainingContract.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { adam, assertEachClose, feeds, initialState, names, network, torchUpdate } from './trainingFixture.ts';

testTraining(tensorflowEngine);

function train(
  options: Partial<TrainingOptions> = {},
  batchNorm: 'running' | 'batch' = 'running',
): Promise<TrainingModel> {
  const defaults = { trainable: new Set(names.parameters), optimizer: adam, device: 'cpu' };
  const initial = { state: initialState, optimizer: new Map(), step: 0 };
  return tensorflowEngine.compileTraining((size) => network(size, batchNorm), initial, { ...defaults, ...options });
}

test('without decay Adam and momentum agree with the optimizers that TensorFlow.js brings', async () => {
  const gradient = Array.from({ length: 5 }, (_, step) => Math.sin(step + 1));
  const ours = (optimizer: Optimizer) => {
    const update = torchUpdate(optimizer);
    return gradient.reduce((p, g) => update(p, g, 0.05), 1);
  };
  const theirs = (optimizer: tf.Optimizer) =>
    tf.tidy(() => {
      const p = tf.variable(tf.scalar(1));
      for (const g of gradient) optimizer.applyGradients([{ name: p.name, tensor: tf.scalar(g) }]);
      return p.dataSync()[0] ?? NaN;
    });
  await tf.setBackend('cpu');
  assertEachClose([ours(adam)], [theirs(tf.train.adam(0.05, 0.9, 0.999, 1e-8))], 1e-5, 'Adam');
  assertEachClose(
    [ours({ kind: 'sgd', momentum: 0.9, weightDecay: 0 })],
    [theirs(tf.train.momentum(0.05, 0.9))],
    1e-5,
    'SGD',
  );
});

test('neither steps, gradients, snapshots, runs nor disposed models leave tensors behind', async () => {
  const start = tf.memory().numTensors;
  const model = await train({ clipNorm: 1 }, 'batch');
  const inference = await tensorflowEngine.compileInference((size) => network(size), initialState, 'cpu');
  const work = async () => {
    await model.step([feeds(0, 3), feeds(3, 4)], 0.01);
    await model.gradients(feeds());
    await model.snapshot();
    await inference.run(feeds());
  };
  await work();
  const first = tf.memory();
  await work();
  const second = tf.memory();
  assert.equal(second.numTensors, first.numTensors);
  assert.equal(second.numBytes, first.numBytes);
  await model.dispose();
  await inference.dispose();
  assert.equal(tf.memory().numTensors, start);
});

test('a step that fails leaves no tensors behind', async () => {
  const model = await train({}, 'batch');
  const tensors = tf.memory().numTensors;
  const broken = new Map([...feeds(2, 4)].filter(([name]) => name !== 'drop.mask'));
  await assert.rejects(model.step([feeds(0, 2), broken], 0.01), /drop\.mask/);
  assert.equal(tf.memory().numTensors, tensors);
  await model.dispose();
});

test('the CPU is always there, and a device that is missing is named with what to do', async () => {
  const devices = await tensorflowEngine.devices();
  assert.equal(devices.find(({ name }) => name === 'cpu')?.available, true);
  const cuda = devices.find(({ name }) => name === 'cuda');
  assert.ok(cuda && cuda.detail.length > 0);
  await assert.rejects(train({ device: 'tpu' }), (error) => error instanceof UserError && error.kind === 'usage');
  if (cuda.available) return;
  await assert.rejects(
    train({ device: 'cuda' }),
    (error) => error instanceof UserError && error.message.includes(cuda.detail),
  );
});

test('an ONNX file is refused with the engine that reads it', async () => {
  await assert.rejects(
    tensorflowEngine.compileOnnx(writeOnnx(network(1), { constants: initialState }), 'cpu'),
    (error) => error instanceof UserError && error.message.includes('--engine onnx'),
  );
});
