import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runRecordSchema } from '../../../src/protocol/runRecord.ts';
import { decodeOnnx } from '../../../src/ml/onnx/onnxModel.ts';
import { initialise } from '../../../src/ml/networks/initialise.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { timmConfig } from '../../../src/ml/networks/timm.ts';
import { writeSafetensors } from '../../../src/ml/weights/safetensors.ts';
import { readCheckpointMetadata } from '../../../src/runs/checkpointHeader.ts';
import { tokenModel } from '../../unit/onnx/tokenModel.ts';
import { fivecrop } from '../cli/runCommand.ts';
import { commit, type ImitatedHub, imitateHub, sha256Of } from './imitatedHub.ts';

const name = 'timm/resnet18.mine_in1k';

let hub: ImitatedHub;
let root = '';

before(async () => {
  hub = await imitateHub();
  root = await mkdtemp(join(tmpdir(), 'fivecrop-from-hub-'));
  const network = namedNetwork('resnet18');
  const shapes = stateShapes(network.graph('original', { batchSize: 1, size: 224 }));
  const file = join(root, 'published.safetensors');
  await writeSafetensors(file, initialise(shapes, network.initialise, 3));
  const config = timmConfig('resnet18', { features: 512, mean: 0.5, std: 0.5, licence: 'mine-only' });
  await said('sample', 'data');
  hub.repositories.set(name, { config, content: await readFile(file), licence: 'mine-only' });
});
after(async () => {
  await hub.close();
  await rm(root, { recursive: true });
});

const environment = () => ({
  HF_ENDPOINT: hub.address,
  FIVECROP_WEIGHTS: join(root, 'weights'),
  FIVECROP_CACHE: join(root, 'cache'),
  FIVECROP_MIRROR: '',
});
const said = async (...args: string[]) => {
  const { code, stdout, stderr } = await fivecrop(args, { cwd: root, env: environment() });
  assert.equal(code, 0, stderr);
  return stdout + stderr;
};
const recordOf = async (run: string) =>
  runRecordSchema.parse(JSON.parse(await readFile(join(root, 'runs', run, 'run.json'), 'utf8')));

test('a run begins with a network of the hub, goes on without it, and its export names commit, hash and licence', async () => {
  const flags = ['--method', 'head', '--image-size', '32', '--batch-size', '8', '--engine', 'onnx', '--device', 'cpu'];
  await said('train', 'data', '--arch', name, ...flags, '--epochs', '1', '--out', 'runs', '--name', 'first');

  const expected = { commit, sha256: sha256Of(hub.repositories.get(name)?.content ?? ''), licence: 'mine-only' };
  const run = join(root, 'runs', 'first');
  const record = await recordOf('first');
  assert.ok(record.config.network.kind === 'architecture');
  const { commit: at, sha256, licence, config } = record.config.network.hub ?? {};
  assert.deepEqual({ commit: at, sha256, licence }, expected);
  assert.equal(config?.architecture, 'resnet18');
  assert.equal(record.licence, 'mine-only');

  const asked = hub.asked.length;
  await said('train', '--resume', 'runs/first', '--epochs', '2');
  assert.equal(hub.asked.length, asked);
  const metadata = await readCheckpointMetadata(join(run, 'checkpoints', 'last.safetensors'));
  assert.deepEqual(metadata.network.kind === 'architecture' && metadata.network.hub, record.config.network.hub);
  assert.deepEqual(metadata.preprocessing.mean, [0.5, 0.5, 0.5]);

  assert.match(await said('export', 'runs/first', 'flowers.onnx'), /under the license mine-only/);
  const { metadataProps = [] } = decodeOnnx(await readFile(join(root, 'flowers.onnx')));
  const values = new Map(metadataProps.map(({ key, value }) => [key, value]));
  assert.equal(values.get('licence'), 'mine-only');
  assert.match(values.get('fivecrop') ?? '', new RegExp(`"commit":"${commit}"`));
});

test('a short name stands for an ONNX file of the hub, its pixels, its pooling and its licence', async () => {
  const repository = 'onnx-community/mobilenetv4_conv_small.e2400_r224_in1k';
  const content = Buffer.from(tokenModel('float32', 'S'));
  hub.repositories.set(repository, { content, path: 'onnx/model.onnx' });
  const flags = ['--image-size', '32', '--batch-size', '8', '--engine', 'onnx', '--device', 'cpu', '--epochs', '1'];
  await said('train', 'data', '--backbone', 'mobilenetv4-small', '--pool', 'cls+mean', ...flags, '--name', 'tokens');

  const { config, licence } = await recordOf('tokens');
  assert.ok(config.network.kind === 'backbone');
  const { file, pool, preprocessing } = config.network;
  assert.equal(file, join(root, 'weights', 'mobilenetv4-small.onnx'));
  assert.deepEqual([pool, licence, preprocessing?.interpolation], ['cls+mean', 'apache-2.0', 'bicubic']);
  const last = await readCheckpointMetadata(join(root, 'runs', 'tokens', 'checkpoints', 'last.safetensors'));
  assert.ok(last.network.kind === 'backbone');
  const { sha256, features, featuresOutput } = last.network;
  assert.deepEqual([sha256, features, featuresOutput], [sha256Of(content), 6, 'last_hidden_state']);
  assert.equal(last.preprocessing.crop, 32);

  hub.repositories.delete(repository);
  assert.match(await said('export', 'runs/tokens', 'tokens.onnx'), /under the license apache-2\.0/);
  await said('train', '--resume', 'runs/tokens', '--epochs', '2');
});
