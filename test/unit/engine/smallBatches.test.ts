import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildNetwork } from '../../../src/ml/networks/registry.ts';
import type { Feeds } from '../../../src/ml/engine/engine.ts';
import { inSmallBatches } from '../../../src/ml/engine/onnxruntime/smallBatches.ts';
import { createInferenceModel } from '../../../src/ml/engine/onnxruntime/inferenceModel.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { sliceRows } from '../../../src/ml/graph/sliceRows.ts';
import { CancelledError, cancelled } from '../../../src/protocol/errors.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';

const graphFor = (batch: number) => {
  const builder = createGraphBuilder('running');
  const images = input(builder, 'images', [batch, 3, 224, 224]);
  return finishGraph(builder, [buildNetwork('densenet121', builder, images, { hidden: [], dropout: 0, classes: 7 })]);
};

test('an image gives the same numbers alone, beside others, and few at a time', async () => {
  const state = initialise(stateShapes(graphFor(1)), torchDefaults, 0);
  const random = createRandom(0);
  const images = float32Tensor(
    [5, 3, 224, 224],
    Float32Array.from({ length: 5 * 3 * 224 ** 2 }, () => random.next() - 0.5),
  );
  const whole = createInferenceModel(graphFor, state, 'cpu');
  const few = inSmallBatches(whole, 2);
  const rowsOf = async (feeds: Feeds, model = few) => [...(await model.run(feeds)).values()][0];
  const together = await rowsOf(new Map([['images', images]]));
  const beside = await rowsOf(new Map([['images', images]]), whole);
  assert.deepEqual(together?.shape, [5, 7]);
  for (let row = 0; row < 5; row++) {
    const alone = await rowsOf(new Map([['images', sliceRows(images, row, row + 1)]]));
    assert.ok(alone && beside);
    const [first, second] = [sliceRows(together, row, row + 1), sliceRows(beside, row, row + 1)];
    alone.data.forEach((value, at) => {
      const tolerance = 1e-5 * Math.max(1, Math.abs(Number(value)));
      assert.ok(Math.abs(Number(value) - Number(first.data[at])) <= tolerance, `${value} ${first.data[at]}`);
      assert.ok(Math.abs(Number(value) - Number(second.data[at])) <= tolerance, `${value} ${second.data[at]}`);
    });
  }
  await few.dispose();
});

test('large images go few at a time, as many small ones as have their pixels, and features together', async () => {
  const runs: number[] = [];
  const run = (feeds: Feeds) => {
    const rows = [...feeds.values()][0]?.shape[0] ?? 0;
    runs.push(rows);
    return Promise.resolve(new Map([['y', float32Tensor([rows, 1])]]));
  };
  const model = inSmallBatches({ run, dispose: () => Promise.resolve() }, 2);
  const partsOf = async (name: string, shape: readonly number[]) => {
    runs.length = 0;
    await model.run(new Map([[name, float32Tensor(shape)]]));
    return [...runs];
  };
  assert.deepEqual(await partsOf('images', [5, 1, 224, 224]), [2, 2, 1]);
  assert.deepEqual(await partsOf('images', [3, 1, 384, 384]), [2, 1]);
  assert.deepEqual(await partsOf('images', [20, 1, 112, 112]), [8, 8, 4]);
  assert.deepEqual(await partsOf('images', [20, 1, 112, 56]), [16, 4]);
  assert.deepEqual(await partsOf('images', [130, 1, 32, 32]), [128, 2]);
  assert.deepEqual(await partsOf('features', [500, 9]), [500]);
});

test('of a batch that goes few at a time nothing more is run after an abort', async () => {
  const stopped = new AbortController();
  let runs = 0;
  const run = () => {
    runs++;
    if (runs === 2) stopped.abort(cancelled());
    return Promise.resolve(new Map([['y', float32Tensor([2, 1])]]));
  };
  const model = inSmallBatches({ run, dispose: () => Promise.resolve() }, 2);
  const images = new Map([['images', float32Tensor([8, 1, 224, 224])]]);
  await assert.rejects(model.run(images, stopped.signal), CancelledError);
  assert.equal(runs, 2);
});

test('in lanes so many parts of a batch run at the same time, and what comes of them is in the order of the images', async () => {
  const waiting: (() => void)[] = [];
  const run = async (feeds: Feeds) => {
    const { data } = feeds.get('images') ?? float32Tensor([0]);
    await new Promise<void>((resolve) => waiting.push(resolve));
    const first = Number(data[0]);
    if (first === 3) throw new Error('overflow');
    return new Map([['y', float32Tensor([1, 1], Float32Array.of(first))]]);
  };
  const model = inSmallBatches({ run, dispose: () => Promise.resolve() }, 1, 2);
  const images = (...values: number[]) => {
    const data = Float32Array.from(
      { length: values.length * 224 ** 2 },
      (_, at) => values[Math.floor(at / 224 ** 2)] ?? 0,
    );
    return new Map([['images', float32Tensor([values.length, 1, 224, 224], data)]]);
  };
  const turn = () => new Promise(setImmediate);
  const result = model.run(images(5, 6, 7));
  await turn();
  assert.equal(waiting.length, 2);
  // The second part is done before the first.
  waiting[1]?.();
  await turn();
  assert.equal(waiting.length, 3);
  waiting.forEach((go) => go());
  assert.deepEqual([...((await result).get('y')?.data ?? [])], [5, 6, 7]);

  let settled = false;
  const failing = model.run(images(3, 4)).finally(() => (settled = true));
  await turn();
  waiting[3]?.();
  await turn();
  assert.ok(!settled, 'what the other part reads must stay until it has ended');
  waiting[4]?.();
  await assert.rejects(failing, /overflow/u);
});
