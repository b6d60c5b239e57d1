import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findImages } from '../../../src/ml/inference/findImages.ts';

test('folders are walked in order, hidden and foreign files left out, and a named file is taken as it is', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'b'));
  for (const name of ['b/2.PNG', 'a.jpg', '.hidden.jpg', 'notes.txt', 'odd']) await writeFile(join(folder, name), '');
  const found = await findImages([folder, join(folder, 'odd')]);
  assert.deepEqual(found, [join(folder, 'a.jpg'), join(folder, 'b', '2.PNG'), join(folder, 'odd')]);
});

test('a path that does not exist and a folder without images are user errors', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  await assert.rejects(findImages([join(folder, 'gone.jpg')]), { name: 'UserError', message: /cannot be read/ });
  await assert.rejects(findImages([folder]), { name: 'UserError', message: /There is no image/ });
});
