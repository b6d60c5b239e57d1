import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { testTraining } from './trainingContract.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { adam, initialState, names, network } from './trainingFixture.ts';

testTraining(onnxEngine);

test('the CPU is always there, and a device that is missing is refused instead of replaced by the CPU', async () => {
  const devices = await onnxEngine.devices();
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
