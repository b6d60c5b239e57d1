import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Engine, TrainingModel, TrainingState } from '../../../src/ml/engine/engine.ts';
import { openLibrary } from '../../../src/ml/engine/onnxruntime/capi/library.ts';
import { onnxEngine, onnxEngineAside } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { float32Tensor, type StateDict } from '../../../src/ml/graph/tensor.ts';
import type { Optimizer } from '../../../src/ml/operators/optimizer/optimizer.ts';
import { adam, feeds, initialState, names, network } from '../../unit/engine/trainingFixture.ts';

/** What came of a stress of ONNX Runtime's library. */
export interface Stress {
  readonly runs: number;
  /** Runs that were made to fail. */
  readonly failed: number;
  /** Runs that were ended in their middle. */
  readonly ended: number;
  /** Resident memory after each tenth of the runs, in MiB. */
  readonly memory: readonly number[];
}

/** How the models are trained whose runs overlap, one of each: every kernel of updates in place, with all that it can be told. */
const trainings: readonly { readonly optimizer: Optimizer; readonly clipNorm?: number }[] = [
  { optimizer: adam },
  {
    optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, averageDecay: 0.9 },
    clipNorm: 1,
  },
  { optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 0.1, averageDecay: 0.99 } },
];
/**
 * One run in so many fails, one is given up; after one in so many a model is made anew from its state, or lends it; one
 * collection in so many is of all.
 */
const [failing, stopping, renewing, lending, thorough] = [7, 7, 50, 20, 5];

/**
 * Trains small networks at random through ONNX Runtime's library and through its binding, every run in another thread and
 * garbage collected while it is under way. Some runs fail, some are ended, some models are given up for new ones. Throws if a loss, or in the
 * end a tensor, is not the binding's to the last bit.
 */
export async function stressLibrary(wanted: number, seed: number): Promise<Stress> {
  setFlagsFromString('--expose_gc');
  const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;
  const random = createRandom(seed, 'stress');
  const aside = onnxEngineAside({ ...openLibrary(), shortMilliseconds: 0, longMilliseconds: 0 });
  const pairs = await Promise.all(trainings.map((training) => compilePair(aside, training)));
  const memory: number[] = [];
  let [runs, failed, ended] = [0, 0, 0];
  while (runs < wanted) {
    const round = pairs.map(async (pair) => {
      const rows = 1 + random.integer(4);
      if (random.integer(failing) === 0) {
        failed++;
        await refuses(pair.aside);
        return;
      }
      if (random.integer(stopping) === 0) {
        if (await isEnded(pair, rows)) ended++;
        return;
      }
      // In parts, too: then sums of gradients go through several runs.
      const batches = rows === 4 && random.integer(2) === 0 ? [feeds(0, 2), feeds(2, 4)] : [feeds(0, rows)];
      const [step, expected] = [pair.aside.step(batches, 0.01), pair.binding.step(batches, 0.01)];
      const [actual, wished] = [await step, await expected];
      assert.deepEqual([actual.loss, actual.gradientNorm], [wished.loss, wished.gradientNorm]);
      assert.deepEqual(actual.logProbabilities.data, wished.logProbabilities.data);
    });
    await setImmediate();
    collectGarbage({ type: random.integer(thorough) === 0 ? 'major' : 'minor' });
    await Promise.all(round);
    runs += round.length;
    const pair = pairs[random.integer(pairs.length)];
    if (pair && random.integer(renewing) === 0) await renew(pair, aside);
    if (pair && random.integer(lending) === 0) {
      await pair.aside.lend('weights', async ({ state }) =>
        assertSameTensors(state, (await pair.binding.snapshot()).state),
      );
    }
    if (Math.floor((runs * 10) / wanted) > memory.length) memory.push(process.memoryUsage.rss() / 2 ** 20);
  }
  for (const { aside: model, binding } of pairs) {
    assertSame(await model.snapshot(), await binding.snapshot());
    await Promise.all([model.dispose(), model.dispose(), binding.dispose()]);
  }
  return { runs, failed, ended, memory };
}

type Training = (typeof trainings)[number];

interface Pair {
  readonly training: Training;
  aside: TrainingModel;
  binding: TrainingModel;
}

function compile(engine: Engine, training: Training, from: TrainingState): Promise<TrainingModel> {
  const options = { trainable: new Set(names.parameters), device: 'cpu', ...training };
  return engine.compileTraining((batch) => network(batch, 'batch'), from, options);
}

async function compilePair(aside: Engine, training: Training): Promise<Pair> {
  const from = { state: initialState, optimizer: new Map(), step: 0 };
  return {
    training,
    aside: await compile(aside, training, from),
    binding: await compile(onnxEngine, training, from),
  };
}

/** Goes on with new models from the state of the old ones, which are disposed of while a step of them is still running. */
async function renew(pair: Pair, aside: Engine): Promise<void> {
  const [state, expected] = [await pair.aside.snapshot(), await pair.binding.snapshot()];
  assertSame(state, expected);
  const last = pair.aside.step([feeds()], 0.01).catch(() => undefined);
  await setImmediate();
  await Promise.all([pair.aside.dispose(), pair.binding.dispose(), last]);
  // What was taken before that step is as it was.
  assertSame(state, expected);
  pair.aside = await compile(aside, pair.training, state);
  pair.binding = await compile(onnxEngine, pair.training, expected);
}

/** A step whose images have the wrong size is refused by ONNX Runtime in the middle of the run. */
async function refuses(model: TrainingModel): Promise<void> {
  const wrong = new Map([...feeds(), ['targets', float32Tensor([4, 5])] as const]);
  await assert.rejects(model.step([wrong], 0.01), /(?:dimension|shape|broadcast|attempting)/iu);
}

/** Gives up a step in its middle, which is then as if it had not begun; one that is over by then was taken. */
async function isEnded({ aside, binding }: Pair, rows: number): Promise<boolean> {
  const stop = new AbortController();
  const ended = aside.step([feeds(0, rows)], 0.01, stop.signal).then(
    () => false,
    (error: unknown) => {
      assert.equal(error, stop.signal.reason);
      return true;
    },
  );
  await setImmediate();
  stop.abort(new Error('stopped'));
  if (!(await ended)) await binding.step([feeds(0, rows)], 0.01);
  return await ended;
}

function assertSame(actual: TrainingState, expected: TrainingState): void {
  assert.equal(actual.step, expected.step);
  for (const part of ['state', 'optimizer'] as const) assertSameTensors(actual[part], expected[part]);
}

function assertSameTensors(actual: StateDict, expected: StateDict): void {
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, tensor] of expected) assert.deepEqual(actual.get(name), tensor, name);
}
