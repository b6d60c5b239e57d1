import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';

/** What a script beside this file wrote, and how it ended. */
function ended(script: string) {
  const file = join(import.meta.dirname, script);
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    encoding: 'utf8',
    timeout: 600_000,
  });
  return { status, signal, stdout, stderr };
}

const skip = process.platform !== 'linux' && 'takes functions of glibc';

test('a process that is ended in the middle of a run on a card ends with its code, not with a crash', { skip }, () => {
  const { status, signal, stdout, stderr } = ended('endedInARun.ts');
  assert.deepEqual([status, signal, stdout], [130, null, 'in a run'], stderr);
});

test('a process whose channel somebody holds open is not waited for', { skip }, () => {
  const { status, stdout, stderr } = ended('askedProcess.ts');
  const { kind, message } = JSON.parse(stdout) as { kind: string; message: number };
  // Who holds the channel is still there, and would have been waited for.
  assert.ok(process.kill(message, 'SIGKILL'));
  assert.deepEqual([status, kind], [0, 'answer'], stderr);
});
