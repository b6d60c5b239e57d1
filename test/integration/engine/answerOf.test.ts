import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { answerOf } from '../../../src/ml/engine/onnxruntime/cuda/answerOf.ts';

const node = (source: string, milliseconds: number) => answerOf(process.execPath, ['-e', source], milliseconds);

test('a program is asked, and what it wrote is there also where it failed', async () => {
  assert.equal(await node("process.stdout.write('a card')", 30_000), 'a card');
  await assert.rejects(node("process.stdout.write('no driver'); process.exitCode = 9", 30_000), {
    stdout: 'no driver',
  });
  await assert.rejects(answerOf('/no/such/program', [], 30_000), { code: 'ENOENT' });
});

const skip = process.platform === 'win32';

test(
  'a program that does not end, and whose output somebody else holds open, is not waited for',
  { skip },
  async () => {
    // The second program keeps the output of the first, which is killed.
    const held = "require('node:child_process').spawn('sleep', ['20'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true }); setInterval(() => 0, 1000)"; // prettier-ignore
    const began = Date.now();
    await assert.rejects(node(held, 1000), /took longer than 1 s/u);
    assert.ok(Date.now() - began < 15_000);
  },
);
