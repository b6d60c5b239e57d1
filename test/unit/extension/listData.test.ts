import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { findDataSets, listClasses, listImages, looksLikeData } from '../../../src/extension/views/listData.ts';
import { temporaryFolder } from './storedRun.ts';

async function withFiles(parent: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    await mkdir(dirname(join(parent, file)), { recursive: true });
    await writeFile(join(parent, file), '');
  }
}

test('data sets are found inside a folder that has folders of images besides', async (context) => {
  const root = await temporaryFolder(context);
  const photos = ['holiday/sea.jpg', 'garden/tree.png'];
  await withFiles(root, [...photos, 'sets/flowers/train/rose/1.jpg', 'sets/birds/owl/1.jpg', 'sets/birds/wren/1.jpg']);
  const found = await findDataSets(root, 2);
  assert.deepEqual(
    found.toSorted(),
    ['birds', 'flowers'].map((name) => join(root, 'sets', name)),
  );
});

test('a folder of class folders is a data set itself, and so is one with a train folder', async (context) => {
  const root = await temporaryFolder(context);
  await withFiles(root, ['classes/owl/1.jpg', 'classes/wren/1.webp', 'split/train/owl/1.jpg', 'split/valid/owl/2.jpg']);
  assert.deepEqual(await findDataSets(join(root, 'classes'), 2), [join(root, 'classes')]);
  assert.deepEqual(await findDataSets(join(root, 'split'), 2), [join(root, 'split')]);
});

test('a run, a hidden folder and one without images are none', async (context) => {
  const root = await temporaryFolder(context);
  await withFiles(root, ['runs/one/a/1.jpg', 'runs/one/b/1.jpg', '.cache/a/1.jpg', '.cache/b/1.jpg', 'texts/a/1.txt']);
  assert.deepEqual(await findDataSets(root, 2), []);
  assert.equal(await looksLikeData(join(root, 'gone')), false);
});

test('images are listed at any depth, in the order of their numbers, hidden ones and others left out', async (context) => {
  const root = await temporaryFolder(context);
  await withFiles(root, ['10.jpg', '9.JPG', 'deep/2.bmp', '.hidden.jpg', 'notes.txt']);
  assert.deepEqual(
    await listImages(root),
    ['9.JPG', '10.jpg', 'deep/2.bmp'].map((name) => join(root, name)),
  );
});

test('what a list inside a class puts aside there is not listed', async (context) => {
  const root = await temporaryFolder(context);
  await withFiles(root, ['owl/1.jpg', 'owl/deep/2.jpg', 'owl/deep/3.jpg', 'owl/deep/far/4.jpg']);
  await writeFile(join(root, 'owl/deep/fivecrop-ignore.txt'), '2.jpg\nfar\n1.jpg\n');
  const left = ['owl/1.jpg', 'owl/deep/3.jpg'].map((name) => join(root, name));
  assert.deepEqual(await listImages(join(root, 'owl')), left);
  assert.equal((await listClasses(root))[0]?.images, 2);
});

test('classes are listed in the order of their numbers, with the images at any depth below them', async (context) => {
  const root = await temporaryFolder(context);
  await withFiles(root, [
    '10/1.jpg',
    '10/deep/2.jpg',
    '10/notes.txt',
    '9/1.jpg',
    '100/.hidden.jpg',
    'cat_to_name.json',
  ]);
  const classes = await listClasses(root);
  assert.deepEqual(
    classes.map(({ name, images }) => [name, images]),
    [
      ['9', 1],
      ['10', 2],
      ['100', 0],
    ],
  );
});
