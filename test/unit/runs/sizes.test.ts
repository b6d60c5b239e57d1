import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { usableFiles } from '../../../src/runs/sizes.ts';

test('the files that a run can be used from are its best checkpoint, else its last, and its exports', async (t) => {
  const run = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(run, { recursive: true }));
  assert.deepEqual(await usableFiles(run), []);
  await mkdir(join(run, 'checkpoints'));
  await mkdir(join(run, 'folder.onnx'));
  const write = (name: string, bytes: number) => writeFile(join(run, name), new Uint8Array(bytes));
  await write('checkpoints/last.safetensors', 10);
  await write('b.onnx', 4);
  await write('A.ONNX', 3);
  await write('run.json', 9);
  const exports = [
    { name: 'A.ONNX', bytes: 3 },
    { name: 'b.onnx', bytes: 4 },
  ];
  assert.deepEqual(await usableFiles(run), [{ name: 'last.safetensors', bytes: 10 }, ...exports]);
  await write('checkpoints/best.safetensors', 12);
  assert.deepEqual(await usableFiles(run), [{ name: 'best.safetensors', bytes: 12 }, ...exports]);
});
