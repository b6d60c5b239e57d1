import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { CancelledError } from '../../../src/protocol/errors.ts';
import { isFreePort, type ServedModel, startModelServer } from '../../../src/extension/serving/modelServer.ts';
import { temporaryFolder } from '../../unit/data/temporaryImages.ts';
import { writeRandomCheckpoint } from '../../unit/inference/checkpointFixture.ts';

const said: string[] = [];
const program = {
  script: join(import.meta.dirname, '../../../dist/ml/fivecrop.mjs'),
  environment: { ...process.env, NODE_OPTIONS: '' },
  onLine: (line: string) => said.push(line),
};
const onCpu = { crops: 1, engine: 'onnx', device: 'cpu' } as const;

test('a model is served until it is stopped, and its port is taken until then', async (t) => {
  const folder = await temporaryFolder(t);
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const model: ServedModel = { checkpoint, ...onCpu, port: 0 };
  const { signal } = new AbortController();
  const server = await startModelServer(model, program, signal);
  assert.equal((await fetch(`${server.address}/health/ready`)).status, 200);
  const port = Number(new URL(server.address).port);
  assert.equal(await isFreePort(port), false);
  server.stop();
  assert.equal(await server.ended, undefined);
  assert.ok(await isFreePort(port));
  assert.ok(said.some((line) => line.includes(server.address)));
});

test('a checkpoint that is not there, and a cancellation while the server starts, are told apart', async () => {
  const model: ServedModel = { checkpoint: '/nowhere/best.safetensors', ...onCpu, port: 0 };
  const controller = new AbortController();
  await assert.rejects(startModelServer(model, program, controller.signal), {
    name: 'UserError',
    message: /^There is no checkpoint \/nowhere\/best\.safetensors/u,
  });
  const starting = startModelServer(model, program, controller.signal);
  controller.abort();
  await assert.rejects(starting, CancelledError);
});
