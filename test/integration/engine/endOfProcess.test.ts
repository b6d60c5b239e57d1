import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';

/** What a script beside this file wrote, and how it ended. */
function ended(script: string) {
  const file = join(import.meta.dirname, script);
  const began = performance.now();
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { status, signal, stdout, stderr, seconds: (performance.now() - began) / 1000 };
}

const skip = process.platform !== 'linux' && 'takes functions of glibc';

test('a process that is ended in the middle of a run on a card ends with its code, not with a crash', { skip }, () => {
  const { status, signal, stdout, stderr } = ended('endedInARun.ts');
  assert.deepEqual([status, signal, stdout], [130, null, 'in a run'], stderr);
});

test('a process that no signal reaches, or whose channel somebody holds open, is not waited for', { skip }, () => {
  const { status, stdout, stderr, seconds } = ended('askedProcess.ts');
  assert.deepEqual([status, stdout], [0, 'late'], stderr);
  // The channel is held for 60.
  assert.ok(seconds < 55, `${seconds} s`);
});
