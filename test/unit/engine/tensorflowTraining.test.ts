import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import { UserError } from '../../../src/protocol/errors.ts';
import type { Feeds, TrainingModel, TrainingOptions } from '../../../src/ml/engine/engine.ts';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import {
  batchNorm2d,
  conv2d,
  createGraphBuilder,
  dropout,
  finishGraph,
  globalAveragePool,
  input,
  linear,
  logSoftmax,
  relu,
} from '../../../src/ml/graph/builder.ts';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import type { Optimizer } from '../../../src/ml/graph/optimizers.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type StateDict, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { runDouble } from './doubleForward.ts';

function network(batchSize: number, batchNorm: 'running' | 'batch' = 'running'): Graph {
  const builder = createGraphBuilder(batchNorm);
  const x = input(builder, 'images', [batchSize, 3, 6, 6]);
  const map = relu(builder, batchNorm2d(builder, 'norm', conv2d(builder, 'conv', x, { channels: 4, kernel: 3 })));
  const features = dropout(builder, 'drop', globalAveragePool(builder, map), 0.5);
  return finishGraph(builder, [logSoftmax(builder, linear(builder, 'fc', features, 3))]);
}

function randomTensor(name: string, shape: readonly number[]): Tensor & { dtype: 'float32' } {
  const random = createRandom(1, name);
  const value = () => (name.endsWith('running_var') ? 0.5 + random.next() : random.normal());
  return float32Tensor(shape, Float32Array.from({ length: elementCount(shape) }, value));
}

const names = network(1);
const counter: Tensor = { dtype: 'int64', shape: [], data: BigInt64Array.of(7n) };
const initialState: StateDict = new Map<string, Tensor>([
  ...[...names.parameters, ...names.buffers].map(
    (name) => [name, randomTensor(name, typeOf(names, name).shape)] as const,
  ),
  ['norm.num_batches_tracked', counter],
]);

/** Rows `from` to `to` of one fixed batch of four images. */
function feeds(from = 0, to = 4): Feeds {
  const rows = (name: string, shape: readonly number[]) => {
    const size = elementCount(shape);
    return float32Tensor([to - from, ...shape], randomTensor(name, [4, ...shape]).data.slice(from * size, to * size));
  };
  const labels = Float32Array.of(0.25, 0, 0, 0, 0.25, 0, 0, 0, 0.25, 0.25, 0, 0).slice(from * 3, to * 3);
  return new Map([
    ['images', rows('images', [3, 6, 6])],
    ['drop.mask', rows('mask', [4])],
    ['targets', float32Tensor([to - from, 3], labels)],
  ]);
}

const adam: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

function train(
  options: Partial<TrainingOptions> = {},
  batchNorm: 'running' | 'batch' = 'running',
  initial = { state: initialState, optimizer: new Map<string, Tensor>() as StateDict, step: 0 },
): Promise<TrainingModel> {
  const defaults = { trainable: new Set(names.parameters), optimizer: adam, device: 'cpu' };
  return tensorflowEngine.compileTraining((size) => network(size, batchNorm), initial, { ...defaults, ...options });
}

function numbers(state: StateDict, name: string): number[] {
  return Array.from(state.get(name)?.data ?? [], Number);
}

function assertClose(actual: readonly number[], expected: readonly number[], tolerance: number, what: string) {
  assert.equal(actual.length, expected.length, what);
  for (const [index, value] of expected.entries()) {
    const off = Math.abs((actual[index] ?? NaN) - value);
    assert.ok(
      off <= tolerance * Math.max(1e-2, Math.abs(value)),
      `${what}[${index}] is ${actual[index]}, not ${value}`,
    );
  }
}

/** torch's update of one number, from the pseudo-code in torch.optim's documentation, in float64. */
function torchUpdate(optimizer: Optimizer, rate: number) {
  let [m, v, step] = [0, 0, 0];
  return (p: number, gradient: number): number => {
    step += 1;
    const coupled = optimizer.kind === 'adamw' ? gradient : gradient + optimizer.weightDecay * p;
    if (optimizer.kind === 'sgd') {
      m = step === 1 ? coupled : optimizer.momentum * m + coupled;
      return p - rate * m;
    }
    const { beta1, beta2, epsilon, weightDecay } = optimizer;
    const shrunk = optimizer.kind === 'adamw' ? p - rate * weightDecay * p : p;
    m = beta1 * m + (1 - beta1) * coupled;
    v = beta2 * v + (1 - beta2) * coupled ** 2;
    return shrunk - (rate * (m / (1 - beta1 ** step))) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
  };
}

const optimizers: Optimizer[] = [
  adam,
  { ...adam, weightDecay: 0.1, epsilon: 1e-2 },
  { ...adam, kind: 'adamw', weightDecay: 0.1 },
  { kind: 'sgd', momentum: 0, weightDecay: 0 },
  { kind: 'sgd', momentum: 0.9, weightDecay: 0.1 },
];

for (const optimizer of optimizers) {
  test(`${optimizer.kind} with decay ${optimizer.weightDecay} moves parameters as torch's does`, async () => {
    const model = await train({ optimizer });
    const updates = new Map(
      names.parameters.map((name) => [name, numbers(initialState, name).map(() => torchUpdate(optimizer, 0.05))]),
    );
    for (let step = 0; step < 4; step++) {
      const before = await model.snapshot();
      const gradients = await model.gradients(feeds());
      await model.step([feeds()], 0.05);
      const after = await model.snapshot();
      assert.equal(after.step, step + 1);
      for (const [name, each] of updates) {
        const gradient = numbers(gradients, name);
        const expected = numbers(before.state, name).map((p, index) => each[index]?.(p, gradient[index] ?? NaN) ?? NaN);
        assertClose(numbers(after.state, name), expected, 1e-4, `${name} after step ${step + 1}`);
      }
    }
    await model.dispose();
  });
}

test('without decay Adam and momentum agree with the optimizers that TensorFlow.js brings', async () => {
  const gradient = Array.from({ length: 5 }, (_, step) => Math.sin(step + 1));
  const ours = (optimizer: Optimizer) => {
    const update = torchUpdate(optimizer, 0.05);
    return gradient.reduce((p, g) => update(p, g), 1);
  };
  const theirs = (optimizer: tf.Optimizer) =>
    tf.tidy(() => {
      const p = tf.variable(tf.scalar(1));
      for (const g of gradient) optimizer.applyGradients([{ name: p.name, tensor: tf.scalar(g) }]);
      return p.dataSync()[0] ?? NaN;
    });
  await tf.setBackend('cpu');
  assertClose([ours(adam)], [theirs(tf.train.adam(0.05, 0.9, 0.999, 1e-8))], 1e-5, 'Adam');
  assertClose(
    [ours({ kind: 'sgd', momentum: 0.9, weightDecay: 0 })],
    [theirs(tf.train.momentum(0.05, 0.9))],
    1e-5,
    'SGD',
  );
});

test('clipping scales all gradients by one factor when their joint norm is above the limit, and not below', async () => {
  const optimizer: Optimizer = { kind: 'sgd', momentum: 0, weightDecay: 0 };
  for (const share of [0.5, 2]) {
    const probe = await train({ optimizer });
    const gradients = await probe.gradients(feeds());
    await probe.dispose();
    const norm = Math.sqrt(
      [...gradients.keys()].flatMap((name) => numbers(gradients, name)).reduce((sum, g) => sum + g * g, 0),
    );
    const clipNorm = share * norm;
    const model = await train({ optimizer, clipNorm });
    await model.step([feeds()], 1);
    const { state } = await model.snapshot();
    await model.dispose();
    const factor = Math.min(1, clipNorm / (norm + 1e-6));
    for (const name of names.parameters) {
      const expected = numbers(initialState, name).map(
        (p, index) => p - factor * (numbers(gradients, name)[index] ?? NaN),
      );
      assertClose(numbers(state, name), expected, 1e-4, name);
    }
  }
});

test('micro-batches, also uneven ones, add up to the step of the whole batch', async () => {
  const results = [];
  for (const batches of [[feeds()], [feeds(0, 1), feeds(1, 4)]]) {
    const model = await train();
    const { loss, logProbabilities } = await model.step(batches, 0.01);
    results.push({
      loss,
      rows: [...logProbabilities.data],
      shape: logProbabilities.shape,
      ...(await model.snapshot()),
    });
    await model.dispose();
  }
  const [whole, parts] = results;
  assert.ok(whole && parts);
  assert.deepEqual(parts.shape, [4, 3]);
  assertClose([parts.loss], [whole.loss], 1e-5, 'loss');
  assertClose(parts.rows, whole.rows, 1e-5, 'log-probabilities');
  for (const name of names.parameters) assertClose(numbers(parts.state, name), numbers(whole.state, name), 1e-4, name);
});

test('the loss and the log-probabilities are those before the update', async () => {
  const model = await train();
  const { loss, logProbabilities } = await model.step([feeds()], 0.01);
  await model.dispose();
  const graph = network(4);
  const values = new Map(
    [...initialState, ...feeds()].map(([name, { data }]) => [name, Float64Array.from(data, Number)]),
  );
  const expected = [...(runDouble(graph, values).get(graph.outputs[0] ?? '') ?? [])];
  assertClose([...logProbabilities.data], expected, 1e-4, 'log-probabilities');
  const targets = numbers(feeds(), 'targets');
  assertClose(
    [loss],
    [-expected.reduce((sum, value, index) => sum + value * (targets[index] ?? NaN), 0)],
    1e-4,
    'loss',
  );
});

test('running statistics move once for each micro-batch, by its mean and unbiased variance', async () => {
  const model = await train({}, 'batch');
  await model.step([feeds(0, 2), feeds(2, 4)], 0.01);
  const { state } = await model.snapshot();
  await model.dispose();
  let present = initialState;
  for (const [from, to] of [
    [0, 2],
    [2, 4],
  ] as const) {
    const graph = network(2, 'batch');
    const all = [...present, ...feeds(from, to)];
    const values = runDouble(graph, new Map(all.map(([name, { data }]) => [name, Float64Array.from(data, Number)])));
    const moved = [...graph.updates].map(([name, value]) => {
      const data = Float32Array.from(values.get(value) ?? []);
      return [name, float32Tensor([data.length], data)] as const;
    });
    present = new Map([...present, ...moved]);
  }
  for (const name of names.buffers) {
    assertClose(numbers(state, name), numbers(present, name), 1e-4, name);
    assert.notDeepEqual(numbers(state, name), numbers(initialState, name));
  }
});

test('exactly the trainable parameters move, and only they have moments and gradients', async () => {
  const trainable = new Set(['fc.weight', 'conv.bias']);
  const model = await train({ trainable });
  const gradients = await model.gradients(feeds());
  await model.step([feeds()], 0.01);
  const { state, optimizer } = await model.snapshot();
  await model.dispose();
  assert.deepEqual([...state.keys()], [...initialState.keys()]);
  const moved = [...state.keys()].filter((name) => numbers(state, name).join() !== numbers(initialState, name).join());
  assert.deepEqual(new Set(moved), trainable);
  assert.deepEqual(new Set(gradients.keys()), trainable);
  const moments = [...trainable].flatMap((name) => [`${name}.exp_avg`, `${name}.exp_avg_sq`]);
  assert.deepEqual(new Set(optimizer.keys()), new Set(moments));
});

test('training goes on from a snapshot to exactly the same numbers', async () => {
  const model = await train({}, 'batch');
  await model.step([feeds()], 0.01);
  const middle = await model.snapshot();
  await model.step([feeds()], 0.01);
  const end = await model.snapshot();
  await model.dispose();
  const resumed = await train({}, 'batch', middle);
  await resumed.step([feeds()], 0.01);
  assert.deepEqual(await resumed.snapshot(), end);
  await resumed.dispose();
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

test('a step that fails changes nothing and leaves no tensors behind', async () => {
  const model = await train({}, 'batch');
  const before = await model.snapshot();
  const tensors = tf.memory().numTensors;
  const broken = new Map([...feeds(2, 4)].filter(([name]) => name !== 'drop.mask'));
  await assert.rejects(model.step([feeds(0, 2), broken], 0.01), /drop\.mask/);
  assert.deepEqual(await model.snapshot(), before);
  assert.equal(tf.memory().numTensors, tensors);
  await model.dispose();
});

test('a run does not change what it is given, and gives copies', async () => {
  const given = feeds();
  const copy = structuredClone(given);
  const model = await tensorflowEngine.compileInference((size) => network(size), initialState, 'cpu');
  const [first] = (await model.run(given)).values();
  first?.data.fill(0 as never);
  const [second] = (await model.run(given)).values();
  await model.dispose();
  assert.deepEqual(given, copy);
  assert.notDeepEqual(second, first);
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
    tensorflowEngine.compileOnnx(new Uint8Array(), 'cpu'),
    (error) => error instanceof UserError && error.message.includes('--engine onnx'),
  );
});
