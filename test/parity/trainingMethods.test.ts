import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import type { Tensor } from '../../src/ml/graph/tensor.ts';
import { frozenPart } from '../../src/ml/training/features/frozenPart.ts';
import { namedNetwork } from '../../src/ml/networks/registry.ts';
import { runNetwork } from '../../src/ml/training/run/runNetwork.ts';
import { createStepper } from '../../src/ml/training/loop/stepper.ts';
import { initialise } from '../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { trainingConfigSchema, type TrainingConfigInput } from '../../src/protocol/trainingConfig.ts';

const size = 32;
const rows = 4;
const classes = 3;

function images(seed: number): Tensor {
  const random = createRandom('methods', seed);
  const data = Uint8Array.from({ length: rows * 3 * size * size }, () => random.integer(256));
  return { dtype: 'uint8', shape: [rows, 3, size, size], data };
}

/** Names of the tensors that differ after two steps, and all names. */
async function movedBy(settings: Partial<TrainingConfigInput>): Promise<{ moved: string[]; names: string[] }> {
  const network = { kind: 'architecture', name: 'resnet18' } as const;
  const config = trainingConfigSchema.parse({
    data: 'data',
    network,
    hidden: [8],
    dropout: 0.1,
    imageSize: size,
    ...settings,
  });
  const built = runNetwork(config, namedNetwork(network.name), classes);
  const state = initialise(stateShapes(built.whole(1)), built.initialise, 3);
  const common = { engine: onnxEngine, device: 'cpu', network: built, log: (message: string) => assert.fail(message) };
  const frozen = await frozenPart({ ...common, state });
  const stepper = await createStepper({
    ...common,
    config,
    targets: { classes, labelSmoothing: 0 },
    initial: { state, optimizer: new Map(), step: 0 },
    microBatchSize: rows,
  });
  for (let step = 0; step < 2; step++) {
    await stepper.take(await frozen.feeds(images(step)), Int32Array.of(0, 1, 2, 0), 0.01);
  }
  const after = await stepper.lend('all', ({ state: lent }) => Promise.resolve(structuredClone(lent)));
  await Promise.all([stepper.dispose(), frozen.dispose()]);
  assert.deepEqual([...after.keys()], [...state.keys()], 'the state dict keeps its order');
  const moved = [...state].filter(([name, tensor]) => {
    const other = after.get(name);
    return other?.data.some((value, index) => value !== tensor.data[index]) ?? true;
  });
  return { moved: moved.map(([name]) => name), names: [...state.keys()] };
}

const isStatistic = (name: string) => /\.(?:running_mean|running_var|num_batches_tracked)$/u.test(name);

test('head moves the head and nothing else', async () => {
  const { moved, names } = await movedBy({ method: 'head' });
  assert.deepEqual(
    moved,
    names.filter((name) => name.startsWith('fc.')),
  );
  assert.equal(moved.length, 4);
});

test('head on batch statistics, as the report’s script did it, moves running statistics too and no other weight', async () => {
  const { moved, names } = await movedBy({ method: 'head', batchNorm: 'batch' });
  assert.deepEqual(
    moved,
    names.filter((name) => name.startsWith('fc.') || isStatistic(name)),
  );
});

for (const topTensors of [1, 3, 6, 10]) {
  test(`top ${topTensors} moves the last ${topTensors} parameter tensors in torch’s order and nothing else`, async () => {
    const { moved, names } = await movedBy({ method: 'top', topTensors });
    assert.deepEqual(moved, names.filter((name) => !isStatistic(name)).slice(-topTensors));
  });
}

for (const method of ['full', 'scratch'] as const) {
  test(`${method} moves every parameter and every running statistic`, async () => {
    const { moved, names } = await movedBy({ method });
    assert.deepEqual(moved, names);
  });
}

test('full on running statistics moves every parameter and no statistic', async () => {
  const { moved, names } = await movedBy({ method: 'full', batchNorm: 'running' });
  assert.deepEqual(
    moved,
    names.filter((name) => !isStatistic(name)),
  );
});
