import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, Feeds } from '../../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { outOfMemory } from '../../../src/ml/engine/outOfMemory.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { float32Tensor, type StateDict } from '../../../src/ml/graph/tensor.ts';
import { fitToMemory } from '../../../src/ml/training/loop/fitToMemory.ts';
import { networkOf } from '../../../src/ml/networks/registry.ts';
import { runNetwork } from '../../../src/ml/training/run/runNetwork.ts';
import { createStepper } from '../../../src/ml/training/loop/stepper.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const features = 6;
const classes = 3;
const config = trainingConfigSchema.parse({
  data: 'data',
  network: { kind: 'backbone', file: 'backbone.onnx' },
  hidden: [16],
  batchSize: 8,
});
const file = {
  kind: 'backbone' as const,
  file: 'backbone.onnx',
  sha256: '0'.repeat(64),
  featuresOutput: 'f',
  features,
};
const network = runNetwork(config, networkOf(file), classes);

/** ONNX Runtime on a device that has memory for `limit` images only. */
function smallEngine(limit: number): Engine {
  const check = (batches: readonly Feeds[]) => {
    for (const feeds of batches) {
      if ((feeds.get('features')?.shape[0] ?? 0) > limit) throw outOfMemory('a small device', undefined);
    }
  };
  return {
    ...onnxEngine,
    compileInference: async (...parts) => {
      const model = await onnxEngine.compileInference(...parts);
      const run = (feeds: Feeds) => {
        check([feeds]);
        return model.run(feeds);
      };
      return { run, dispose: () => model.dispose() };
    },
    compileTraining: async (...parts) => {
      const model = await onnxEngine.compileTraining(...parts);
      return {
        ...model,
        step: async (batches, learningRate) => {
          check(batches);
          return model.step(batches, learningRate);
        },
      };
    },
  };
}

function batchOf(seed: number): Feeds {
  const random = createRandom('batch', seed);
  return new Map([
    [
      'features',
      float32Tensor(
        [8, features],
        Float32Array.from({ length: 48 }, () => random.normal()),
      ),
    ],
  ]);
}

async function train(engine: Engine): Promise<{ losses: number[]; state: StateDict; logs: string[] }> {
  const logs: string[] = [];
  const stepper = await createStepper({
    engine,
    device: 'cpu',
    network,
    config,
    targets: { classes, labelSmoothing: 0.1 },
    initial: { state: initialise(stateShapes(network.whole(1)), torchDefaults, 1), optimizer: new Map(), step: 0 },
    microBatchSize: 8,
    log: (message) => logs.push(message),
  });
  const losses: number[] = [];
  for (let step = 0; step < 4; step++) {
    const labels = Int32Array.from({ length: 8 }, (_, index) => (index + step) % classes);
    const { loss, logProbabilities } = await stepper.take(batchOf(step), labels, 0.01);
    assert.deepEqual(logProbabilities.shape, [8, classes]);
    losses.push(loss);
  }
  assert.equal(stepper.step, 4);
  const state = await stepper.lend('all', (lent) => Promise.resolve(structuredClone(lent.state)));
  await stepper.dispose();
  return { losses, state, logs };
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length);
  for (let index = 0; index < actual.length; index++) {
    const difference = Math.abs((actual[index] ?? NaN) - (expected[index] ?? NaN));
    assert.ok(difference < 1e-4, `${index}: ${actual[index] ?? NaN} is not ${expected[index] ?? NaN}`);
  }
}

test('a batch that does not fit is halved until it does, with the same losses and weights, and the log says so', async () => {
  const whole = await train(onnxEngine);
  const halved = await train(smallEngine(3));
  assert.deepEqual(whole.logs, []);
  assert.equal(halved.logs.length, 2, '8 to 4 to 2');
  assert.match(halved.logs[1] ?? '', /of 2 at a time are added up to the same batch of 8/u);
  close(halved.losses, whole.losses);
  for (const [name, tensor] of whole.state) {
    const other = halved.state.get(name);
    assert.ok(tensor.dtype === 'float32' && other?.dtype === 'float32');
    close(other.data, tensor.data);
  }
});

test('a device on which no single image fits ends the run with a sentence', async () => {
  await assert.rejects(train(smallEngine(0)), (error) => error instanceof UserError && error.message.includes('single image')); // prettier-ignore
});

test('a forward run that does not fit goes in parts and gives the same', async () => {
  const state = initialise(stateShapes(network.whole(1)), torchDefaults, 1);
  const logs: string[] = [];
  const small = await smallEngine(3).compileInference(network.validation, state, 'cpu');
  const model = fitToMemory(small, (message) => logs.push(message));
  const whole = await onnxEngine.compileInference(network.validation, state, 'cpu');
  const [parts] = (await model.run(batchOf(0))).values();
  const [expected] = (await whole.run(batchOf(0))).values();
  assert.ok(parts?.dtype === 'float32' && expected?.dtype === 'float32');
  assert.deepEqual(parts.shape, expected.shape);
  close(parts.data, expected.data);
  await model.run(batchOf(1));
  assert.equal(logs.length, 2, 'what was learned of the memory is remembered');
  await Promise.all([model.dispose(), whole.dispose()]);
});
