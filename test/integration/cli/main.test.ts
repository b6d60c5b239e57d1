import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fivecrop } from './runCommand.ts';

test('--help names every command and goes to standard output', async () => {
  const { code, stdout, stderr } = await fivecrop(['--help']);
  assert.deepEqual([code, stderr], [0, '']);
  for (const name of ['train', 'test', 'predict', 'check', 'export', 'devices', 'sample', 'runs']) {
    assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
  }
});

test('a wrong use as a process ends with 2, with nothing on standard output', async () => {
  const { code, stdout, stderr } = await fivecrop(['train', 'flowers', '--epochs', 'many', '--json']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^fivecrop: [^\n]+\n$/);
});

test('a failure shows its stack only if FIVECROP_DEBUG=1 asks for it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const check = ['check', join(folder, 'gone'), '--json'];
  const quiet = await fivecrop(check);
  assert.deepEqual([quiet.code, quiet.stdout], [1, '']);
  assert.match(quiet.stderr, /^fivecrop: [^\n]+\n$/);
  const debug = await fivecrop(check, { env: { FIVECROP_DEBUG: '1' } });
  assert.deepEqual([debug.code, debug.stdout], [1, '']);
  assert.match(debug.stderr, /\n {4}at /);
});

test('no command at all is a wrong use that shows the help', async () => {
  const { code, stdout, stderr } = await fivecrop([]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /Usage: fivecrop/);
});
