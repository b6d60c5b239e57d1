import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { networkGraph } from '../../../src/ml/networks/registry.ts';
import { float32Tensor, type StateDict, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { readUsableCheckpoint } from '../../../src/ml/inference/usableCheckpoint.ts';
import { resumePath } from '../../../src/runs/checkpointFiles.ts';
import { readResumePoint, writeCheckpoint } from '../../../src/ml/weights/checkpoint.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { writeSafetensors } from '../../../src/ml/weights/safetensors.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { labels } from './fakeClassifier.ts';

let folder = '';
before(async () => (folder = await mkdtemp(join(tmpdir(), 'fivecrop-usable-'))));
after(() => rm(folder, { recursive: true }));

const head = { hidden: [5], dropout: 0.5, classes: labels.length };
const state = initialise(stateShapes(networkGraph('ConvNet1', head)), torchDefaults, 1);
const metadata: CheckpointMetadata = {
  version: 1,
  network: { kind: 'architecture', name: 'ConvNet1' },
  head,
  classes: [...labels],
  preprocessing: { resize: 36, crop: 32, ...presetConstants('imagenet') },
  training: { run: 'test', method: 'scratch', step: 0, epoch: 0, data: 'nowhere' },
  metrics: {},
  created: new Date(0).toISOString(),
};

async function read(change: Partial<CheckpointMetadata>, tensors: StateDict = state) {
  const path = join(folder, 'best.safetensors');
  await writeCheckpoint(path, tensors, { ...metadata, ...change });
  return readUsableCheckpoint(path);
}

function refused(pattern: RegExp) {
  return (error: unknown) => error instanceof UserError && pattern.test(error.message);
}

test('a checkpoint that agrees with itself comes back whole', async () => {
  assert.deepEqual(await read({}), { state, metadata });
});

for (const name of ['__proto__', 'constructor', 'toString', 'ConvNet1000', 'resnet19']) {
  test(`a checkpoint of the network ${name} is refused`, async () => {
    await assert.rejects(read({ network: { kind: 'architecture', name } }), refused(/no network named/));
  });
}

test('a head that says other layers than the weights have is refused before the weights are read', async () => {
  await assert.rejects(read({ head: { ...head, hidden: [6] } }), refused(/\[5, 64\] instead of \[6, 64\]/));
  await assert.rejects(read({ head: { ...head, hidden: [] } }), refused(/not part of it/));
});

test('a network that needs more memory for one image than machines have is refused', async () => {
  const large = { ...metadata.preprocessing, resize: 2048, crop: 2048 };
  const network = { kind: 'architecture', name: 'ConvNet999' } as const;
  await assert.rejects(read({ network, preprocessing: large }), refused(/GB of memory for one image/));
});

test('integers in the place of weights are refused, and so are weights that are not finite', async () => {
  const name = 'fc.output.bias';
  const integers: Tensor = { dtype: 'int64', shape: [labels.length], data: new BigInt64Array(labels.length) };
  await assert.rejects(read({}, new Map([...state, [name, integers]])), refused(/int64 instead of float32/));
  for (const value of [NaN, Infinity]) {
    const broken = float32Tensor([labels.length], new Float32Array(labels.length).fill(value));
    await assert.rejects(read({}, new Map([...state, [name, broken]])), refused(/not finite \(fc\.output\.bias\)/));
  }
});

test('moments that belong to no weight, or have another shape than theirs, are refused', async () => {
  const path = join(folder, 'last.safetensors');
  await writeCheckpoint(path, state, metadata);
  for (const [name, shape] of [
    ['fc.output.bias.exp_avg', [7]],
    ['fc.absent.bias.exp_avg', [3]],
  ] as const) {
    await writeSafetensors(resumePath(path, {}), new Map([[name, float32Tensor(shape)]]));
    await assert.rejects(readResumePoint(path, { state, metadata }), refused(/cannot be used for the weights of last/));
  }
});
