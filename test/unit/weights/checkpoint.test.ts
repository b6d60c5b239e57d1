import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { type ResumeState, resumeStateSchema } from '../../../src/protocol/resumeState.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { float32Tensor, type StateDict } from '../../../src/ml/graph/tensor.ts';
import {
  readCheckpoint,
  readResumePoint,
  repeatCheckpoint,
  writeCheckpoint,
} from '../../../src/ml/weights/checkpoint.ts';
import { resumePath } from '../../../src/runs/checkpointFiles.ts';
import { readCheckpointMetadata } from '../../../src/runs/checkpointHeader.ts';
import { writeSafetensors } from '../../../src/ml/weights/safetensors.ts';

let folder = '';
before(async () => (folder = await mkdtemp(join(tmpdir(), 'fivecrop-checkpoint-'))));
after(() => rm(folder, { recursive: true }));

const state: StateDict = new Map([['fc.output.weight', float32Tensor([2, 1], Float32Array.of(0.5, -0.25))]]);
const optimizer: StateDict = new Map([['fc.output.weight.exp_avg', float32Tensor([2, 1], Float32Array.of(1, 2))]]);
const metadata: CheckpointMetadata = {
  version: 1,
  network: { kind: 'architecture', name: 'resnet18' },
  head: { hidden: [], dropout: 0.5, classes: 2 },
  classes: [
    { index: 0, folder: '1', name: 'pink primrose' },
    { index: 1, folder: '10', name: 'globe thistle' },
  ],
  preprocessing: { resize: 255, crop: 224, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1], channels: 'rgb' },
  training: { run: 'run', method: 'head', step: 40, epoch: 0.5, data: 'flowers' },
  metrics: { validAccuracy: 0.5 },
  created: '2024-01-01T00:00:00.000Z',
};
const resume: ResumeState = {
  version: 1,
  run: 'run',
  config: trainingConfigSchema.parse({ data: 'flowers', network: { kind: 'architecture', name: 'resnet18' } }),
  step: 40,
  epoch: 0,
  batchInEpoch: 40,
  microBatchSize: 32,
  trainLoss: { sum: 12.5, images: 96 },
  earlyStop: { epochsWithoutBetter: 0 },
};

test('a checkpoint and its resume file come back as they were written, and nothing else is left in the folder', async () => {
  const path = join(folder, 'both', 'last.safetensors');
  await writeCheckpoint(path, state, metadata, { optimizer, resume });
  assert.deepEqual(await readCheckpoint(path), { state, metadata });
  assert.deepEqual(await readCheckpointMetadata(path), metadata);
  assert.deepEqual(await readResumePoint(path), { optimizer, resume });
  assert.deepEqual(await readdir(join(folder, 'both')), ['last.resume.safetensors', 'last.safetensors']);
});

test('a checkpoint under a second name stays as it was when the first name is written anew, and the other way round', async () => {
  const [best, last] = ['best', 'last'].map((name) => join(folder, 'twice', `${name}.safetensors`)) as [string, string];
  const later = { ...metadata, training: { ...metadata.training, step: 80 } };
  await writeCheckpoint(best, state, metadata, { optimizer, resume });
  await repeatCheckpoint(last, best);
  assert.equal((await stat(last)).ino, (await stat(best)).ino, 'no second copy on this disk');
  await writeCheckpoint(last, state, later, { optimizer, resume: { ...resume, step: 80 } });
  assert.deepEqual(await readCheckpoint(best), { state, metadata });
  assert.deepEqual(await readResumePoint(best), { optimizer, resume });
  await repeatCheckpoint(best, last);
  assert.deepEqual(await readCheckpointMetadata(best), later);
  assert.equal((await readResumePoint(best)).resume.step, 80);
  assert.equal((await readdir(join(folder, 'twice'))).length, 4, 'nothing temporary is left');
});

const otherDisk = '/dev/shm';
const skip = !existsSync(otherDisk) && 'needs a second file system';
test('where the disk has no link to the first name, the second is a copy', { skip }, async (context) => {
  const elsewhere = await mkdtemp(join(otherDisk, 'fivecrop-checkpoint-'));
  context.after(() => rm(elsewhere, { recursive: true }));
  const path = join(folder, 'copy.safetensors');
  await writeCheckpoint(join(elsewhere, 'best.safetensors'), state, metadata, { optimizer, resume });
  await repeatCheckpoint(path, join(elsewhere, 'best.safetensors'));
  assert.deepEqual(await readCheckpoint(path), { state, metadata });
  assert.deepEqual(await readResumePoint(path), { optimizer, resume });
});

test('a second name for a checkpoint that is not there is refused, and what had the name stays', async () => {
  const path = join(folder, 'kept.safetensors');
  await writeCheckpoint(path, state, metadata, { optimizer, resume });
  await assert.rejects(repeatCheckpoint(path, join(folder, 'absent.safetensors')), UserError);
  assert.deepEqual(await readCheckpoint(path), { state, metadata });
});

test('a resume file of another step is refused', async () => {
  const path = join(folder, 'torn.safetensors');
  await writeCheckpoint(path, state, metadata, { optimizer, resume });
  await writeCheckpoint(path, state, { ...metadata, training: { ...metadata.training, step: 80 } });
  await assert.rejects(readResumePoint(path), /do not belong together/);
});

test('a checkpoint without its resume file says which file is missing', async () => {
  const path = join(folder, 'alone.safetensors');
  await writeCheckpoint(path, state, metadata);
  await assert.rejects(readResumePoint(path), /alone\.resume\.safetensors/);
});

const refusals: readonly (readonly [string, Record<string, string>, RegExp])[] = [
  ['weights that are not ours', { format: 'pt' }, /no checkpoint of Fivecrop/],
  ['a newer version', { fivecrop: '{"version":2,"surprise":true}' }, /newer Fivecrop .*update/],
  ['damaged metadata', { fivecrop: '{"version":1}' }, /damaged/],
  ['metadata that is no JSON', { fivecrop: '{' }, /damaged/],
];
for (const [what, strings, message] of refusals) {
  test(`${what} are refused with a sentence that says what to do`, async () => {
    const path = join(folder, 'refused.safetensors');
    await writeSafetensors(path, state, strings);
    for (const read of [readCheckpoint, readCheckpointMetadata]) {
      await assert.rejects(read(path), (error) => error instanceof UserError && message.test(error.message));
    }
  });
}

test('a diverged loss survives JSON', () => {
  const diverged = { ...resume, trainLoss: { sum: NaN, images: 32 } };
  assert.deepEqual(resumeStateSchema.parse(JSON.parse(JSON.stringify(diverged))), diverged);
});

test('the resume file lies beside its checkpoint', () => {
  assert.equal(resumePath('/runs/a/best.safetensors'), '/runs/a/best.resume.safetensors');
});
