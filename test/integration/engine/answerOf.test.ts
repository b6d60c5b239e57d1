import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fivecrop-answer-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'holder');
    // The second program keeps the output of the first, which is killed.
    const held = `const holder = require('node:child_process').spawn('sleep', ['600'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true }); require('node:fs').writeFileSync(${JSON.stringify(file)}, String(holder.pid)); setInterval(() => 0, 1000)`; // prettier-ignore
    let holder = 0;
    // Longer where a machine needs longer to start both.
    for (let seconds = 1; holder === 0; seconds *= 2) {
      await assert.rejects(node(held, 1000 * seconds), new RegExp(`took longer than ${seconds} s`, 'u'));
      holder = Number(await readFile(file, 'utf8').catch(() => 0));
    }
    // It is still there, and would have been waited for.
    assert.ok(process.kill(holder, 'SIGKILL'));
  },
);
