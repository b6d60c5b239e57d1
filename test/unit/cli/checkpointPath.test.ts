import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkpointPath } from '../../../src/ml/cli/checkpointPath.ts';

test("a run's folder stands for its best checkpoint where one is used, and for its last where a run goes on", async (context) => {
  const run = await mkdtemp(join(tmpdir(), 'fivecrop-run-'));
  context.after(() => rm(run, { recursive: true, force: true }));
  const file = (name: string) => join(run, 'checkpoints', `${name}.safetensors`);
  await mkdir(join(run, 'checkpoints'));
  assert.throws(() => checkpointPath(run, 'resume'), /holds no checkpoint/u);
  await writeFile(file('last'), '');
  assert.deepEqual([checkpointPath(run), checkpointPath(run, 'resume')], [file('last'), file('last')]);
  await writeFile(file('best'), '');
  assert.deepEqual([checkpointPath(run), checkpointPath(run, 'resume')], [file('best'), file('last')]);
  assert.equal(checkpointPath(file('best'), 'resume'), file('best'));
  assert.throws(() => checkpointPath(join(run, 'nothing')), /There is no checkpoint/u);
});
