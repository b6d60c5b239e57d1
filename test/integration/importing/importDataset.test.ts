import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { createDecodePool } from '../../../src/ml/data/decodePool.ts';
import { importDataset } from '../../../src/ml/importing/importDataset.ts';
import { CancelledError } from '../../../src/protocol/errors.ts';
import { writeZip } from '../../unit/archives/writeZip.ts';
import { noiseImage, temporaryFolder, writeFiles } from '../../unit/data/temporaryImages.ts';

const pool = createDecodePool(1);
after(() => pool.dispose());
const options = { layout: 'auto', pool } as const;

/** Files below a folder, hidden ones too. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1).replaceAll('\\', '/')).sort(); // prettier-ignore
}

const [one, two, three, four] = await Promise.all([1, 2, 3, 4].map((seed) => noiseImage(seed, 40, 30)));
const images = {
  'flowers/train/rose/1.png': one ?? Buffer.alloc(0),
  'flowers/train/daisy/1.png': two ?? Buffer.alloc(0),
  'flowers/val/rose/2.png': three ?? Buffer.alloc(0),
  'flowers/val/daisy/sub/1.png': four ?? Buffer.alloc(0),
};

test('an archive becomes a data folder that is ready for training, without what is not an image', async (t) => {
  const root = await temporaryFolder(t);
  const rubbish = {
    'flowers/train/rose/broken.png': Buffer.from('<html>not found</html>'),
    'flowers/train/rose/notes.txt': Buffer.from('x'),
    '__MACOSX/flowers/train/rose/._1.png': Buffer.from('x'),
    'flowers/.DS_Store': Buffer.from('x'),
  };
  const files = { ...images, ...rubbish };
  const entries = Object.entries(files).map(([name, body]) => ({ header: { name, size: body.length }, body }));
  const tar = await packTar(entries);
  const archives = { 'a.zip': writeZip(files), 'b.tar': tar, 'c.tgz': gzipSync(tar) };
  for (const [name, content] of Object.entries(archives)) {
    await writeFile(join(root, name), content);
    const target = join(root, 'made', `${name} data`);
    const imported = await importDataset(join(root, name), target, options);
    assert.deepEqual(await filesIn(target), ['train/daisy/1.png', 'train/rose/1.png', 'valid/daisy/1.png', 'valid/rose/2.png']); // prettier-ignore
    assert.deepEqual(await readFile(join(target, 'valid/daisy/1.png')), four);
    assert.deepEqual(
      [imported.images, imported.classes, imported.folder, imported.report.data],
      [4, 2, target, target],
    );
    assert.deepEqual(imported.report.images, { train: 2, valid: 2, test: 0 });
    assert.deepEqual(imported.left, [
      { reason: 'not an image by its name', files: ['flowers/train/rose/notes.txt'] },
      { reason: 'not an image that can be read, by its content', files: ['flowers/train/rose/broken.png'] },
    ]);
  }
  assert.deepEqual((await readdir(join(root, 'made'))).length, 3, 'something of the imports is left beside them');
});

test('a table becomes folders of classes, whose own names are kept', async (t) => {
  const root = await temporaryFolder(t);
  for (const [index, image] of Object.values(images).entries()) {
    await writeFiles(root, [`photos/${index % 2}/same.png`, `photos/${index}.png`], image);
  }
  const rows = ['photos/0/same.png,a/b', 'photos/1/same.png,a/b', 'photos/2.png,c', 'photos/3.png,c'];
  await writeFiles(root, ['labels.csv'], `file,label\n${rows.join('\n')}\n`);
  const target = join(root, 'data');
  const { report } = await importDataset(join(root, 'labels.csv'), target, options);
  assert.deepEqual(await filesIn(target), ['a_b/same-2.png', 'a_b/same.png', 'c/2.png', 'c/3.png', 'cat_to_name.json']);
  assert.deepEqual(report.classes.map(({ folder, name }) => [folder, name]), [['a_b', 'a/b'], ['c', 'c']]); // prettier-ignore
  assert.ok((await filesIn(join(root, 'photos'))).length === 6, 'the source has changed');
});

test('an import that is refused, fails or is cancelled leaves nothing', async (t) => {
  const root = await temporaryFolder(t);
  await writeFile(join(root, 'bad.zip'), writeZip({ ...images, '../out.png': Buffer.from('x') }));
  await writeFile(join(root, 'one.zip'), writeZip({ 'cat/1.png': one ?? Buffer.alloc(0) }));
  await writeFile(join(root, 'good.zip'), writeZip(images));
  await writeFiles(root, ['full/mine.txt'], 'mine');
  await mkdir(join(root, 'empty'));
  const before = await filesIn(root);
  const cases = [
    ['bad.zip', 'new/data', /because it holds \.\.\/out\.png/],
    ['one.zip', 'new/data', /class/],
    ['good.zip', 'full', /full is not empty; name a new folder/],
    ['good.zip', 'bad.zip', /bad\.zip is a file; name a new folder/],
    ['gone.zip', 'new/data', /There is no file or folder .*gone\.zip/],
  ] as const;
  for (const [source, target, why] of cases) {
    await assert.rejects(importDataset(join(root, source), join(root, target), options), why, source);
  }
  for (const stopAt of ['Unpacking', 'Importing images'] as const) {
    const controller = new AbortController();
    const onProgress = (what: string) => what === stopAt && controller.abort();
    const { signal } = controller;
    const cancelledImport = importDataset(join(root, 'good.zip'), join(root, 'new/data'), { ...options, signal, onProgress }); // prettier-ignore
    await assert.rejects(cancelledImport, CancelledError);
  }
  assert.deepEqual(await filesIn(root), before);
  assert.deepEqual((await readdir(root)).sort(), ['bad.zip', 'empty', 'full', 'good.zip', 'one.zip']);
  const { folder } = await importDataset(join(root, 'good.zip'), join(root, 'empty'), options);
  assert.equal((await filesIn(folder)).length, 4, 'an empty folder is taken');
});
