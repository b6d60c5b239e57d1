import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { copyLines } from '../../../src/ml/submit/ssh/copyLines.ts';

async function files(t: TestContext): Promise<{ copy: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-lines-'));
  t.after(() => rm(folder, { recursive: true }));
  return { copy: join(folder, 'copy'), file: join(folder, 'file') };
}

const same = (text: string) => text;

test('whole lines are appended in place, and what is still being written waits', async (t) => {
  const { copy, file } = await files(t);
  await writeFile(copy, 'one\ntwo\nthr');
  const first = await copyLines(copy, file, same);
  const { ino } = await stat(file);
  assert.equal(await readFile(file, 'utf8'), 'one\ntwo\n');
  await appendFile(copy, 'ee\nfour\n');
  await copyLines(copy, file, same, first);
  assert.equal(await readFile(file, 'utf8'), 'one\ntwo\nthree\nfour\n');
  assert.equal((await stat(file)).ino, ino);
});

test('another process goes on where one was broken off in the middle of a line', async (t) => {
  const { copy, file } = await files(t);
  await writeFile(copy, '{"path":"/far/ä"}\n{"path":"/far/b"}\n');
  await writeFile(file, '{"path":"/here/ä"}\n{"pa');
  await copyLines(copy, file, (text) => text.replaceAll('/far/', '/here/'));
  assert.equal(await readFile(file, 'utf8'), '{"path":"/here/ä"}\n{"path":"/here/b"}\n');
});

test('lines that are not those of the copy are replaced, also where they are more', async (t) => {
  const { copy, file } = await files(t);
  await writeFile(copy, 'one\ntwo\n');
  for (const before of ['one\nother\n', 'one\ntwo\nthree\n', 'x\n']) {
    await writeFile(file, before);
    await copyLines(copy, file, same);
    assert.equal(await readFile(file, 'utf8'), 'one\ntwo\n', JSON.stringify(before));
  }
});

test('a copy that has become shorter is taken anew', async (t) => {
  const { copy, file } = await files(t);
  await writeFile(copy, 'one\ntwo\nthree\n');
  const first = await copyLines(copy, file, same);
  await writeFile(copy, 'other\n');
  await copyLines(copy, file, same, first);
  assert.equal(await readFile(file, 'utf8'), 'other\n');
});

test('a line longer than what is read at once stays whole', async (t) => {
  const { copy, file } = await files(t);
  const text = `${'x'.repeat(3_000_000)}\nshort\n`;
  await writeFile(copy, text);
  await copyLines(copy, file, same);
  assert.equal(await readFile(file, 'utf8'), text);
});
