import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
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
  writeCalibration,
  writeCheckpoint,
} from '../../../src/ml/weights/checkpoint.ts';
import { repeatAtomically } from '../../../src/runs/atomicFile.ts';
import { sweepResumeFiles } from '../../../src/runs/checkpointFiles.ts';
import { tryLock } from '../../../src/runs/lock.ts';
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

async function subfolder(name: string): Promise<(file: string) => string> {
  await mkdir(join(folder, name));
  return (file) => join(folder, name, `${file}.safetensors`);
}

const resumeFiles = async (name: string) =>
  (await readdir(join(folder, name))).filter((file) => file.startsWith('resume-'));

test('a checkpoint and what its resume needs come back as they were written, and nothing else is left in the folder', async () => {
  const path = (await subfolder('both'))('last');
  await writeCheckpoint(path, state, metadata, { optimizer, resume });
  const [file, ...others] = await resumeFiles('both');
  const complete = { ...metadata, resume: file };
  assert.deepEqual(await readCheckpoint(path), { state, metadata: complete });
  assert.deepEqual(await readCheckpointMetadata(path), complete);
  assert.deepEqual(await readResumePoint(path), { optimizer, resume });
  assert.deepEqual([others, (await readdir(join(folder, 'both'))).length], [[], 2]);
});

test('checkpoints of one moment share their files, and each stays as it was when the other is written anew', async () => {
  const at = await subfolder('twice');
  const [best, last] = [at('best'), at('last')];
  const later = { ...metadata, training: { ...metadata.training, step: 80 } };
  await writeCheckpoint(last, state, metadata, { optimizer, resume });
  await repeatAtomically(best, last);
  await repeatAtomically(best, last);
  assert.equal((await stat(last)).ino, (await stat(best)).ino, 'no second copy on this disk');
  await writeCheckpoint(last, state, later, { optimizer, resume: { ...resume, step: 80 } });
  await sweepResumeFiles(join(folder, 'twice'));
  assert.deepEqual(await readResumePoint(best), { optimizer, resume });
  assert.equal((await readResumePoint(last)).resume.step, 80);
  await repeatAtomically(best, last);
  await sweepResumeFiles(join(folder, 'twice'));
  assert.equal((await readResumePoint(best)).resume.step, 80);
  assert.equal((await readdir(join(folder, 'twice'))).length, 3, 'nothing temporary and nothing superfluous is left');
});

const otherDisk = '/dev/shm';
const skip = !existsSync(otherDisk) && 'needs a second file system';
test('where the disk has no link to the first name, the second is a copy', { skip }, async (context) => {
  const elsewhere = await mkdtemp(join(otherDisk, 'fivecrop-checkpoint-'));
  context.after(() => rm(elsewhere, { recursive: true }));
  const path = join(folder, 'copy.safetensors');
  await writeCheckpoint(join(elsewhere, 'best.safetensors'), state, metadata);
  await repeatAtomically(path, join(elsewhere, 'best.safetensors'));
  assert.deepEqual(await readCheckpoint(path), { state, metadata });
});

test('a second name for a checkpoint that is not there is refused, and what had the name stays', async () => {
  const path = join(folder, 'kept.safetensors');
  await writeCheckpoint(path, state, metadata);
  await assert.rejects(repeatAtomically(path, join(folder, 'absent.safetensors')), UserError);
  assert.deepEqual(await readCheckpoint(path), { state, metadata });
});

/** Writes a checkpoint as earlier versions did: what its resume needs is named after it. */
async function writeFormer(path: string, step: number, resumeStep = step): Promise<void> {
  const training = { ...metadata.training, step };
  await writeCheckpoint(path, state, { ...metadata, training });
  const strings = { resume: JSON.stringify({ ...resume, step: resumeStep }) };
  await writeSafetensors(path.replace('.safetensors', '.resume.safetensors'), optimizer, strings);
}

test('checkpoints of earlier versions are resumed, and what they need is kept until they are replaced', async () => {
  const at = await subfolder('former');
  await writeFormer(at('last'), 40);
  await writeFormer(at('best'), 20);
  await sweepResumeFiles(join(folder, 'former'));
  assert.equal((await readResumePoint(at('last'))).resume.step, 40);
  assert.equal((await readResumePoint(at('best'))).resume.step, 20);
  await writeCheckpoint(at('last'), state, metadata, { optimizer, resume });
  await sweepResumeFiles(join(folder, 'former'));
  const left = (await readdir(join(folder, 'former'))).filter((file) => !file.startsWith('resume-'));
  assert.deepEqual(left.sort(), ['best.resume.safetensors', 'best.safetensors', 'last.safetensors']);
});

test('a pair of an earlier version that a crash tore is refused', async () => {
  const path = join(folder, 'torn.safetensors');
  await writeFormer(path, 80, 40);
  await assert.rejects(readResumePoint(path), /do not belong together/);
});

test('a checkpoint under a name of its own is resumed, and one without the file that it needs says which is missing', async () => {
  const at = await subfolder('renamed');
  await writeCheckpoint(at('last'), state, metadata, { optimizer, resume });
  await rename(at('last'), at('mine'));
  await sweepResumeFiles(join(folder, 'renamed'));
  assert.deepEqual(await readResumePoint(at('mine')), { optimizer, resume });
  const [file = ''] = await resumeFiles('renamed');
  await rm(join(folder, 'renamed', file));
  const missing = (error: unknown) => error instanceof UserError && error.message.includes(`${file} is not beside it`);
  await assert.rejects(readResumePoint(at('mine')), missing);
});

test('where a checkpoint cannot be read, nothing that it may need is removed', async () => {
  const at = await subfolder('damaged');
  await writeCheckpoint(at('last'), state, metadata, { optimizer, resume });
  await writeFile(at('last'), 'damaged');
  await sweepResumeFiles(join(folder, 'damaged'));
  assert.equal((await resumeFiles('damaged')).length, 1);
});

const refusals: readonly (readonly [string, Record<string, string>, RegExp])[] = [
  ['weights that are not ours', { format: 'pt' }, /not a checkpoint of Fivecrop/],
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

/** The bytes behind the header. */
async function tensorBytes(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
}

test('what is fitted to the confidence of a checkpoint changes its header alone, and can be taken away', async () => {
  const path = (await subfolder('calibrated'))('best');
  await writeCheckpoint(path, state, metadata, { optimizer, resume });
  const former = await readCheckpoint(path);
  const bytes = await tensorBytes(path);
  const calibration = { temperature: { 1: 1.37, 5: 1.2 }, images: 812 };
  await writeCalibration(path, former.metadata, calibration);
  assert.deepEqual(await readCheckpoint(path), { state: former.state, metadata: { ...former.metadata, calibration } });
  assert.deepEqual(await tensorBytes(path), bytes);
  await sweepResumeFiles(join(folder, 'calibrated'));
  assert.equal((await readResumePoint(path, former)).resume.step, 40);
  await writeCalibration(path, former.metadata, undefined);
  assert.deepEqual(await readCheckpoint(path), former);
});

test('a checkpoint of a run that is being trained takes no temperature, since another may come in its place', async () => {
  const run = join(folder, 'busy');
  await mkdir(join(run, 'checkpoints'), { recursive: true });
  await writeFile(join(run, 'run.json'), '{}');
  const path = join(run, 'checkpoints', 'best.safetensors');
  await writeCheckpoint(path, state, metadata);
  const lock = await tryLock(join(run, 'run.lock'));
  const write = () => writeCalibration(path, metadata, { temperature: { 1: 2 }, images: 9 });
  await assert.rejects(
    write,
    (error: unknown) => error instanceof UserError && error.message.includes('is being trained'),
  );
  assert.equal((await readCheckpointMetadata(path)).calibration, undefined);
  await lock?.release();
  await write();
  assert.equal((await readCheckpointMetadata(path)).calibration?.images, 9);
  assert.equal(existsSync(join(run, 'run.lock')), false);
});

test('a temperature is not written to a checkpoint of another step', async () => {
  const path = (await subfolder('other-step'))('last');
  await writeCheckpoint(path, state, { ...metadata, training: { ...metadata.training, step: 80 } });
  const write = writeCalibration(path, metadata, { temperature: { 1: 2 }, images: 9 });
  await assert.rejects(write, /was replaced while/u);
  assert.deepEqual(await readdir(join(folder, 'other-step')), ['last.safetensors']);
});
