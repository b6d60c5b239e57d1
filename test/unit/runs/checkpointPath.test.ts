import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkpointPath } from '../../../src/runs/checkpointPath.ts';

test("a run's folder stands for its best checkpoint, else for its last", async (context) => {
  const run = await mkdtemp(join(tmpdir(), 'fivecrop-run-'));
  context.after(() => rm(run, { recursive: true, force: true }));
  const file = (name: string) => join(run, 'checkpoints', `${name}.safetensors`);
  await mkdir(join(run, 'checkpoints'));
  assert.throws(() => checkpointPath(run), /There is no checkpoint in /u);
  await writeFile(file('last'), '');
  assert.equal(checkpointPath(run), file('last'));
  await writeFile(file('best'), '');
  assert.equal(checkpointPath(run), file('best'));
  assert.equal(checkpointPath(file('last')), file('last'));
  assert.throws(() => checkpointPath(join(run, 'nothing')), /There is no checkpoint/u);
});
