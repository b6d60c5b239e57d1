import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { chooseTrainingEngine } from '../../../src/ml/engine/chooseTrainingEngine.ts';
import { openLibrary } from '../../../src/ml/engine/onnxruntime/capi/library.ts';
import { onnxEngine, onnxEngineAside, onnxEngineInLanes } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { typeOf } from '../../../src/ml/graph/graph.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { buildNetwork } from '../../../src/ml/networks/registry.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { adam, initialState, names, network } from '../../unit/engine/trainingFixture.ts';
import { testTraining } from '../../unit/engine/trainingContract.ts';
import { stressLibrary } from './libraryStress.ts';

/** Runs of the stress; 10,000 take some minutes. */
const stressed = Number(process.env['FIVECROP_LIBRARY_RUNS'] ?? 150);
const seed = Number(process.env['FIVECROP_SEED'] ?? Date.now() % 2 ** 31);

/** Sessions come and go, so that memory moves a little; what leaks a batch or a state each run would be far beyond. */
const mostGrowth = 40;

const aside = onnxEngineAside({ ...openLibrary(), shortMilliseconds: 0, longMilliseconds: 0 });

testTraining(aside);

/** A model of steps that take a while, one of which is done, and a batch for it. */
async function slowModel() {
  const [rows, side] = [16, 160];
  const options = { trainable: new Set(names.parameters), optimizer: adam, device: 'cpu' };
  const initial = { state: initialState, optimizer: new Map(), step: 0 };
  const model = await aside.compileTraining((batch) => network(batch, 'batch', side), initial, options);
  const images = float32Tensor([rows, 3, side, side]);
  const batch = new Map([
    ['images', images],
    ['drop.mask', float32Tensor([rows, 16])],
    ['targets', float32Tensor([rows, 3])],
  ]);
  await model.step([batch], 0.01);
  return { model, batch, images };
}

/** Does something to a step again where that was over by then, as it can be on a busy machine. */
async function inTheMiddle(disturb: () => Promise<boolean>): Promise<void> {
  for (let tries = 1; !(await disturb()); tries++) assert.ok(tries < 20, 'every step comes to its end');
}

async function failureOf(step: Promise<unknown>): Promise<Error | undefined> {
  return step.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
}

test('the event loop goes on while a step is computed', async () => {
  const { model, batch } = await slowModel();
  let running = true;
  const step = model.step([batch], 0.01).finally(() => (running = false));
  let turns = 0;
  for (; running; turns++) await setImmediate();
  await step;
  await model.dispose();
  // A run that holds the event loop leaves it one turn or two before it begins.
  assert.ok(turns >= 20, `${turns} turns`);
});

test('a step whose images are handed to somebody else before its end fails and leaves no trace', async () => {
  await inTheMiddle(async () => {
    const { model, batch, images } = await slowModel();
    const before = await model.snapshot();
    const step = failureOf(model.step([batch], 0.01));
    await setImmediate();
    const buffer = images.data.buffer as ArrayBuffer;
    const kept = structuredClone(buffer, { transfer: [buffer] });
    const failure = await step;
    if (failure !== undefined) {
      assert.match(failure.message, /handed to somebody else/u);
      assert.equal(kept.byteLength, 4 * 16 * 3 * 160 * 160);
      assert.deepEqual(await model.snapshot(), before);
    }
    await model.dispose();
    return failure !== undefined;
  });
});

test('a step that is given up in its middle leaves no trace, and the one after it is as if it had not begun', async () => {
  const [stopped, untouched] = [await slowModel(), await slowModel()];
  await inTheMiddle(async () => {
    const before = await stopped.model.snapshot();
    const stop = new AbortController();
    const step = failureOf(stopped.model.step([stopped.batch], 0.01, stop.signal));
    await setImmediate();
    stop.abort(new Error('enough'));
    const failure = await step;
    if (failure === undefined) await untouched.model.step([untouched.batch], 0.01);
    else {
      assert.match(failure.message, /enough/u);
      assert.deepEqual(await stopped.model.snapshot(), before);
    }
    await assert.rejects(stopped.model.step([stopped.batch], 0.01, stop.signal), /enough/u);
    return failure !== undefined;
  });
  const [taken, expected] = [stopped, untouched].map(({ model, batch }) => model.step([batch], 0.01));
  assert.deepEqual(await taken, await expected);
  assert.deepEqual(await stopped.model.snapshot(), await untouched.model.snapshot());
  await Promise.all([stopped, untouched].map(({ model }) => model.dispose()));
});

test(`after ${stressed} runs, some of them refused or ended, with the garbage collected in the middle, all numbers are the binding's and memory is flat (seed ${seed})`, async () => {
  const { runs, failed, ended, memory } = await stressLibrary(stressed, seed);
  assert.ok(runs >= stressed && failed > 0 && ended > 0, `${runs} runs, ${failed} refused, ${ended} ended`);
  const [, , , early = 0] = memory;
  const late = memory.at(-1) ?? Number.POSITIVE_INFINITY;
  assert.ok(late < early + mostGrowth, `${memory.map((mebibytes) => mebibytes.toFixed(0)).join(', ')} MiB`);
});

test('in lanes several batches at once have the numbers of the binding, and the event loop goes on', async () => {
  const [side, rows] = [64, 5];
  const graphFor = (batch: number) => {
    const builder = createGraphBuilder('running');
    const images = input(builder, 'images', [batch, 3, side, side]);
    return finishGraph(builder, [
      buildNetwork('mobilenet_v2', builder, images, { hidden: [], dropout: 0, classes: 7 }),
    ]);
  };
  const state = initialise(stateShapes(graphFor(1)), torchDefaults, 0);
  const batches = [1, 2, 3].map((seed) => {
    const random = createRandom(seed);
    const values = Float32Array.from({ length: rows * 3 * side * side }, () => random.normal());
    return new Map([['images', float32Tensor([rows, 3, side, side], values)]]);
  });
  const model = await onnxEngineInLanes().compileInference(graphFor, state, 'cpu');
  const binding = await onnxEngine.compileInference(graphFor, state, 'cpu');
  let [turns, running] = [0, true];
  const results = Promise.all(batches.map((feeds) => model.run(feeds))).finally(() => (running = false));
  for (; running; turns++) await setImmediate();
  for (const [at, found] of (await results).entries()) {
    const [ours] = found.values();
    const [expected] = (await binding.run(batches[at] ?? new Map())).values();
    assert.deepEqual(ours?.shape, expected?.shape);
    expected?.data.forEach((value, index) => assert.ok(Math.abs(Number(value) - Number(ours?.data[index])) < 1e-5));
  }
  assert.ok(turns >= 20, `${turns} turns`);
  await model.dispose();
  await assert.rejects(model.run(batches[0] ?? new Map()), /disposed|released/u);
  await binding.dispose();
});

test('a training takes the library where its check passed, and says why where it did not', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-library-'));
  const outside = process.env['FIVECROP_CACHE'];
  process.env['FIVECROP_CACHE'] = folder;
  context.after(async () => {
    if (outside === undefined) delete process.env['FIVECROP_CACHE'];
    else process.env['FIVECROP_CACHE'] = outside;
    await rm(folder, { recursive: true, force: true });
  });
  const log: string[] = [];
  const choose = () =>
    chooseTrainingEngine({ engine: 'onnx', device: 'cpu', log: (sentence) => void log.push(sentence) });
  const { engine } = await choose();
  assert.notEqual(engine, onnxEngine);
  assert.deepEqual(log, []);
  // What was found is remembered, also what a check found that took its process down.
  const file = join(folder, 'runtimeLibrary.json');
  const { found } = JSON.parse(await readFile(file, 'utf8')) as { found: [object] };
  await writeFile(file, JSON.stringify({ found: [{ ...found[0], reason: 'its check ended with SIGSEGV' }] }));
  assert.equal((await choose()).engine, onnxEngine);
  assert.match(log.join(), /^ONNX Runtime is called through its binding.*SIGSEGV\.$/u);
});

test('what is moved in place gets the numbers that operators of a model give', async () => {
  const [rows, width, classes] = [8, 1000, 1100];
  const graphFor = (batch: number) => {
    const builder = createGraphBuilder('batch');
    const x = input(builder, 'features', [batch, width]);
    // Both biases have the same gradient.
    const scores = add(builder, linear(builder, 'a', x, classes), linear(builder, 'b', x, classes));
    return finishGraph(builder, [logSoftmax(builder, scores)]);
  };
  const graph = graphFor(1);
  const random = createRandom(seed, 'in place');
  const tensor = (shape: readonly number[]) =>
    float32Tensor(
      shape,
      Float32Array.from({ length: elementCount(shape) }, () => random.normal()),
    );
  const state = new Map(graph.parameters.map((name) => [name, tensor(typeOf(graph, name).shape)] as const));
  const batch = new Map([
    ['features', tensor([rows, width])],
    ['targets', tensor([rows, classes])],
  ]);
  const optimizer = {
    kind: 'adamw',
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    weightDecay: 0.1,
    averageDecay: 0.9,
  } as const;
  const trained = [onnxEngine, aside].map(async (engine) => {
    const options = { trainable: new Set(graph.parameters), optimizer, device: 'cpu', clipNorm: 1 };
    const model = await engine.compileTraining(graphFor, { state, optimizer: new Map(), step: 0 }, options);
    for (const batches of [[batch], [batch, batch], [batch]]) await model.step(batches, 0.01);
    const snapshot = await model.snapshot();
    await model.dispose();
    return snapshot;
  });
  const [byOperators, inPlace] = await Promise.all(trained);
  assert.deepEqual(inPlace, byOperators);
});

test('a model that ONNX Runtime cannot open is refused with its words', async () => {
  await assert.rejects(
    onnxEngineAside().compileOnnx(
      { irVersion: 8, opsetImport: [], graph: { name: 'none', node: [], input: [], output: [] } },
      'cpu',
    ),
    /opset|model/iu,
  );
});
