import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, Feeds, StepResult, TrainingState } from '../../../src/ml/engine/engine.ts';
import { type Library, openLibrary } from '../../../src/ml/engine/onnxruntime/capi/library.ts';
import { onnxEngineAside } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { adam, initialState, names, network } from '../../unit/engine/trainingFixture.ts';
import { testTraining } from '../../unit/engine/trainingContract.ts';

// A training whose state stays where its steps leave it, as on a graphics card; the card is ordinary memory here.
const plain = openLibrary();
const withCard: Library = { ...plain, card: plain.memoryInfo };

testTraining(onnxEngineAside(withCard));

const side = 16;

/** A batch of so many images, the same each time. */
function batchOf(rows: number): Feeds {
  const values = (count: number, scale: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * scale));
  const targets = Float32Array.from({ length: 3 * rows }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 / rows : 0));
  return new Map([
    ['images', float32Tensor([rows, 3, side, side], values(rows * 3 * side * side, 0.37))],
    ['drop.mask', float32Tensor([rows, 16], new Float32Array(rows * 16).fill(1))],
    ['targets', float32Tensor([rows, 3], targets)],
  ]);
}

const mixed = [[batchOf(4)], [batchOf(4)], [batchOf(2)], [batchOf(2), batchOf(3)], [batchOf(4)]];

/** Steps, by default on whole batches, on another size and on parts of a batch, with a snapshot in between. */
async function train(engine: Engine, batches = mixed): Promise<{ steps: StepResult[]; snapshots: TrainingState[] }> {
  const options = { trainable: new Set(names.parameters), optimizer: adam, device: 'cpu' };
  const initial = { state: initialState, optimizer: new Map(), step: 0 };
  const model = await engine.compileTraining((batch) => network(batch, 'batch', side), initial, options);
  try {
    const [steps, snapshots]: [StepResult[], TrainingState[]] = [[], []];
    for (const parts of batches) {
      steps.push(await model.step(parts, 0.01));
      snapshots.push(await model.snapshot());
    }
    return { steps, snapshots };
  } finally {
    await model.dispose();
  }
}

test('with its state left where it is a training gives the numbers of the plain one to the last bit', async () => {
  assert.deepEqual(await train(onnxEngineAside(withCard)), await train(onnxEngineAside(plain)));
});

/** A library that counts the values that it makes and lets go of. */
function counting(library: Library) {
  const count = { made: 0, bound: 0, released: 0, mostAtOnce: 0 };
  const counted: Library = {
    ...library,
    made: (name, ...args) => {
      if (name === 'CreateTensorWithDataAsOrtValue') count.made += 1;
      return library.made(name, ...args);
    },
    call: (name, ...args) => {
      library.call(name, ...args);
      if (name === 'GetBoundOutputValues') count.bound += Number((args[3] as BigUint64Array)[0]);
      count.mostAtOnce = Math.max(count.mostAtOnce, count.made + count.bound - count.released);
      if (name === 'Run') count.made += (args[7] as BigUint64Array).length;
    },
    callAside: async (name, ...args) => {
      await library.callAside(name, ...args);
      if (name === 'Run') count.made += (args[7] as BigUint64Array).length;
    },
    release: (name, handle) => {
      if (name === 'ReleaseValue') count.released += 1;
      library.release(name, handle);
    },
  };
  return { library: counted, count };
}

test('each value that a training leaves on the card is let go of exactly once', async () => {
  const { library, count } = counting(withCard);
  await train(onnxEngineAside(library));
  assert.ok(count.bound > 5 * names.parameters.length, JSON.stringify(count));
  assert.equal(count.released, count.made + count.bound, JSON.stringify(count));
});

test('a step in more parts holds no more sums of gradients on the card', async () => {
  const mostWith = async (parts: number) => {
    const { library, count } = counting(withCard);
    await train(onnxEngineAside(library), [Array.from({ length: parts }, () => batchOf(2))]);
    return count.mostAtOnce;
  };
  // The statistics from before the step are kept, in case it fails, and theirs of each part until it ends.
  const statistics = names.buffers.length;
  assert.ok((await mostWith(6)) <= (await mostWith(3)) + 3 * statistics);
});
