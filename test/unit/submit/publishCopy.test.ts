import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPublisher } from '../../../src/ml/submit/ssh/publishCopy.ts';
import { writeSafetensors } from '../../../src/ml/weights/safetensors.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { metadataKeys } from '../../../src/runs/checkpointHeader.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { temporaryFolder, writeRun } from '../extension/storedRun.ts';

test('a host chooses neither the job of a run, nor who trains it here, nor what a resume brings, nor what its folder is', async (t) => {
  const folder = await temporaryFolder(t);
  const run = await writeRun(folder, 'run', { state: 'preparing' });
  const config = trainingConfigSchema.parse({
    ...{ data: '/home/me/private', classNames: '/home/me/key.json', epochs: 7 },
    network: { kind: 'architecture', name: 'resnet18', weights: '/home/me/secret.safetensors' },
  });
  const copy = await writeRun(folder, 'copy', { config });
  await mkdir(join(copy, 'checkpoints', '.git'));
  await mkdir(join(copy, 'other'));
  const foreign = [
    ...[
      'job.json',
      'control.json',
      'run.lock',
      'run.lock.1',
      '.npmrc',
      'checkpoints/.git/config',
      'checkpoints/run.json',
    ],
    // The same to some disks.
    ...['JOB.JSON', 'RUN.json', 'job\u200c.json', 'jo\u017f.json', 'Metrics.jsonl'],
    ...['sweep.json', 'trials.jsonl', 'study.json', 'other/run.json', 'other/split.json'],
  ];
  for (const name of foreign) await writeFile(join(copy, name), '{}');
  const own = ['profile.json', 'events.out.tfevents.1700000000.fivecrop'];
  const checkpoints = ['best.safetensors', 'epoch-003.safetensors'];
  for (const name of own) await writeFile(join(copy, name), '{}');
  for (const name of checkpoints) await writeFile(join(copy, 'checkpoints', name), '');
  await writeFile(join(copy, 'split.json'), '{"path":"/far/a"}');
  const marks = join(folder, 'published.json');
  const publish = await createPublisher({ copy, run, marks, translate: (text) => text.replaceAll('/far/', '/here/') });
  await publish();
  assert.deepEqual((await readdir(run)).sort(), [...own, 'checkpoints', 'run.json', 'split.json'].sort());
  assert.deepEqual((await readdir(join(run, 'checkpoints'))).sort(), checkpoints);
  const { name, state, config: published } = await readRunRecord(run);
  assert.deepEqual([name, state, published.epochs], ['run', 'finished', 7]);
  assert.deepEqual(
    [published.data, published.classNames, published.network],
    ['/data', undefined, { kind: 'architecture', name: 'resnet18' }],
  );
});

test('what a resume needs is there with its checkpoint, though the copy had it before the checkpoint', async (t) => {
  const folder = await temporaryFolder(t);
  const run = await writeRun(folder, 'run', { state: 'preparing' });
  const copy = await writeRun(folder, 'copy', {});
  const [theirs, ours] = [copy, run].map((place) => join(place, 'checkpoints'));
  assert.ok(theirs !== undefined && ours !== undefined);
  const publish = await createPublisher({
    copy,
    run,
    marks: join(folder, 'published.json'),
    translate: (text) => text,
  });
  const needed = 'resume-000005-0123abcd.safetensors';
  await writeSafetensors(join(theirs, needed), new Map());
  await publish();
  const checkpoint = { [metadataKeys.checkpoint]: JSON.stringify({ resume: needed }) };
  await writeSafetensors(join(theirs, 'last.safetensors'), new Map(), checkpoint);
  await publish();
  assert.deepEqual((await readdir(ours)).sort(), ['last.safetensors', needed]);
});
