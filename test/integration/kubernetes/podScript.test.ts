import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { podScript } from '../../../src/ml/kubernetes/indexedJob.ts';

const skip = process.platform === 'win32' && 'the pods have a shell of Unix';

test('a pod begins the run of its index, and a later one goes on with it', { skip }, async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'fivecrop pod-'));
  t.after(() => rm(root, { recursive: true }));
  await writeFile(join(root, 'fivecrop'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  const said = (runs: number, index: number) => {
    const PATH = `${root}${delimiter}${process.env['PATH'] ?? ''}`;
    const env = { ...process.env, PATH, JOB_COMPLETION_INDEX: String(index) };
    const script = podScript('my heads', runs, root, join(root, 'settings'));
    return execFileSync('sh', ['-c', script], { env, encoding: 'utf8' }).trim().split('\n');
  };
  const run = join(root, 'runs', 'my heads-3');
  assert.deepEqual(said(5, 3), [
    ...['train', '--config', join(root, 'settings', '3.fivecrop.json')],
    ...['--save-dir', run],
  ]);
  await mkdir(run, { recursive: true });
  await writeFile(join(run, 'run.json'), '{}');
  assert.deepEqual(said(5, 3), ['train', '--resume', run, '--unless-finished']);
  assert.deepEqual(said(5, 4).slice(-2), ['--save-dir', join(root, 'runs', 'my heads-4')]);
  assert.deepEqual(said(1, 0).slice(-2), ['--save-dir', join(root, 'runs', 'my heads')]);
});
