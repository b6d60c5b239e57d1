import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cancelled, CancelledError, UserError } from '../../../src/protocol/errors.ts';
import type { TrainingModel } from '../../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { testTraining } from './trainingContract.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { adam, feeds, initialState, names, network } from './trainingFixture.ts';

testTraining(onnxEngine);

/** A model with batch norm that moves, and its state before a step in two parts; `between` is called before the second. */
async function stepInParts(between: (model: TrainingModel) => void, signal?: AbortSignal) {
  const initial = { state: initialState, optimizer: new Map(), step: 0 };
  const options = { trainable: new Set(names.parameters), optimizer: adam, device: 'cpu' };
  const model = await onnxEngine.compileTraining((batch) => network(batch, 'batch'), initial, options);
  await model.step([feeds()], 0.01);
  const before = await model.snapshot();
  const parts = [feeds(0, 2), feeds(2, 4)];
  const second = () => {
    between(model);
    return feeds(2, 4);
  };
  Object.defineProperty(parts, 1, { get: second });
  return { model, before, step: model.step(parts, 0.01, signal) };
}

test('a step that is given up between two of its parts throws the reason and leaves no trace', async () => {
  const giving = new AbortController();
  const { model, before, step } = await stepInParts(() => giving.abort(cancelled()), giving.signal);
  await assert.rejects(step, CancelledError);
  assert.deepEqual(await model.snapshot(), before);
  await model.step([feeds(0, 2), feeds(2, 4)], 0.01, new AbortController().signal);
  assert.notDeepEqual(await model.snapshot(), before);
  await model.dispose();
});

test('a model that is disposed of in the middle of a step in parts begins no further part', async () => {
  let disposal: Promise<void> | undefined;
  const { model, step } = await stepInParts((model) => {
    disposal = model.dispose();
  });
  await assert.rejects(step, /disposed/u);
  assert.ok(disposal);
  await disposal;
  await assert.rejects(model.step([feeds()], 0.01), /disposed/u);
});

test('the CPU is always there, and a device that is missing is refused instead of replaced by the CPU', async () => {
  const devices = await onnxEngine.devices();
  const withoutNvidia = devices.filter(({ name }) => name !== 'cuda');
  assert.deepEqual(await onnxEngine.devices('cpu'), withoutNvidia, 'where the CPU is wanted NVIDIA is not asked');
  assert.equal(devices.find(({ name }) => name === 'cpu')?.available, true);
  const missing = devices.filter(({ available }) => !available).map(({ name }) => name);
  for (const device of [...missing, 'abacus']) {
    const refused = (error: unknown) => error instanceof UserError && error.message.includes(`"${device}"`);
    const options = { trainable: new Set(names.parameters), optimizer: adam, device };
    const initial = { state: initialState, optimizer: new Map(), step: 0 };
    await assert.rejects(onnxEngine.compileTraining(network, initial, options), refused);
    await assert.rejects(onnxEngine.compileInference(network, initialState, device), refused);
    await assert.rejects(onnxEngine.compileOnnx(writeOnnx(network(1), { constants: initialState }), device), refused);
  }
});
