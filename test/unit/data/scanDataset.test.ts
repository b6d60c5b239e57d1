import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { test } from 'node:test';
import { findingText } from '../../../src/protocol/dataReport.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { findImages } from '../../../src/ml/inference/findImages.ts';
import { scanDataset } from '../../../src/ml/data/scanDataset.ts';
import { splitClass, splitCounts } from '../../../src/ml/data/stratifiedSplit.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { temporaryFolder, writeFiles } from './temporaryImages.ts';

const shares = { validShare: 0.15, testShare: 0.15, seed: 0 };

test('index, folder and name stay together in the plain string order of the folders', async (t) => {
  const root = await temporaryFolder(t);
  const folders = ['1', '2', '10', '100', 'Zinnia', 'aster'];
  await writeFiles(
    root,
    folders.flatMap((folder) => [`train/${folder}/a.jpg`, `train/${folder}/b.jpg`, `valid/${folder}/c.jpg`]),
  );
  await writeFiles(root, ['cat_to_name.json'], JSON.stringify({ 1: 'pink primrose', 10: 'globe thistle' }));
  const { classes, splits, splitBy } = await scanDataset(root, shares);
  assert.equal(splitBy, 'folders');
  assert.deepEqual(
    classes.map(({ index, folder, name }) => [index, folder, name]),
    [
      [0, '1', 'pink primrose'],
      [1, '10', 'globe thistle'],
      [2, '100', '100'],
      [3, '2', '2'],
      [4, 'Zinnia', 'Zinnia'],
      [5, 'aster', 'aster'],
    ],
  );
  for (const { file, classIndex } of [...splits.train, ...splits.valid]) {
    assert.equal(basename(join(file, '..')), classes[classIndex]?.folder);
  }
  assert.equal(splits.train.length, 12);
  assert.equal(splits.valid.length, 6);
});

for (const name of ['valid', 'val', 'validation', 'Val']) {
  test(`a folder named ${name} holds the validation images`, async (t) => {
    const root = await temporaryFolder(t);
    await writeFiles(root, ['train/a/1.jpg', 'train/b/2.PNG', `${name}/a/3.webp`, 'test/b/4.tiff']);
    const { splits, notes } = await scanDataset(root, shares);
    assert.deepEqual(
      [splits.train.length, splits.valid.map(({ file }) => basename(file)), splits.test.length],
      [2, ['3.webp'], 1],
    );
    assert.deepEqual(notes, []);
  });
}

test('a folder of classes alone is split by seed, the same way each time, and classes may be called train', async (t) => {
  const root = await temporaryFolder(t);
  const files = ['bus', 'train'].flatMap((folder) =>
    Array.from({ length: 20 }, (_, index) => `${folder}/${index}.jpg`),
  );
  await writeFiles(root, files);
  const first = await scanDataset(root, shares);
  assert.equal(first.splitBy, 'seed');
  assert.deepEqual(
    first.classes.map(({ folder }) => folder),
    ['bus', 'train'],
  );
  assert.deepEqual(await scanDataset(root, shares), first);
  assert.notDeepEqual((await scanDataset(root, { ...shares, seed: 1 })).splits, first.splits);
  const all = Object.values(first.splits).flatMap((split) => split.map(({ file }) => relative(root, file)));
  assert.deepEqual(all.sort(), files.map((file) => join(file)).sort());
  assert.deepEqual(
    Object.values(first.splits).map(({ length }) => length),
    [28, 6, 6],
  );
});

test('validation is taken from train where there is no folder for it, and said', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(
    root,
    ['a', 'b'].flatMap((folder) => [1, 2, 3, 4].map((index) => `train/${folder}/${index}.jpg`)),
  );
  await writeFiles(root, ['test/a/9.jpg']);
  const { splits, notes, splitBy } = await scanDataset(root, shares);
  assert.deepEqual([splitBy, splits.train.length, splits.valid.length, splits.test.length], ['folders', 6, 2, 1]);
  assert.match(notes[0]?.what ?? '', /2 of the training images, drawn by seed, are used for validation/);
});

test('hidden files are passed over, others that are no images are listed, links are followed', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, ['elsewhere.jpg', 'd/train/a/1.jpg', 'd/train/a/.hidden.jpg', 'd/train/a/notes.txt']);
  await writeFiles(root, [
    'd/train/a/deep/er/2.jpg',
    'd/train/b/3.jpg',
    'd/.git/x.jpg',
    'd/train/loose.jpg',
    'd/README.md',
  ]);
  await symlink(join(root, 'elsewhere.jpg'), join(root, 'd/train/b/link.jpg'));
  await symlink(join(root, 'nowhere.jpg'), join(root, 'd/train/b/broken.jpg'));
  const { splits, notImages, withoutClass, notes } = await scanDataset(join(root, 'd'), { ...shares, validShare: 0 });
  assert.deepEqual(
    splits.train.map(({ file }) => relative(join(root, 'd/train'), file)),
    ['a/1.jpg', 'a/deep/er/2.jpg', 'b/3.jpg', 'b/link.jpg'].map((file) => join(file)),
  );
  assert.deepEqual(
    [...withoutClass, ...notImages].map((file) => basename(file)),
    ['loose.jpg', 'notes.txt'],
  );
  const said = notes.map(findingText).join(' ');
  assert.match(said, /1 link leads nowhere and is left out \(train\/b\/broken\.jpg\)\. Fix/);
  assert.match(said, /1 image is hidden by a leading dot and is left out \(train\/a\/\.hidden\.jpg\)/);
});

test('a class that is missing in one split keeps its number', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, ['train/a/1.jpg', 'train/b/2.jpg', 'train/c/3.jpg', 'valid/c/4.jpg', 'test/b/5.jpg']);
  const { splits } = await scanDataset(root, shares);
  assert.deepEqual([splits.valid[0]?.classIndex, splits.test[0]?.classIndex], [2, 1]);
});

test("a checkpoint's classes number the images, and images of a folder that it does not know are counted apart", async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, ['test/b/1.jpg']);
  const label = (index: number, folder: string) => ({ index, folder, name: folder });
  const classes = [label(0, 'a'), label(1, 'b'), label(2, 'c')];
  assert.equal((await scanDataset(root, { ...shares, classes })).splits.test[0]?.classIndex, 1);
  await writeFiles(root, ['test/new/1.jpg', 'train/new/2.jpg']);
  const { splits, otherClasses, otherImages } = await scanDataset(root, { ...shares, classes });
  assert.deepEqual([splits.train.length, splits.test.length, otherClasses, otherImages], [0, 1, ['new'], 2]);
  await assert.rejects(
    scanDataset(root, { ...shares, classes: classes.slice(0, 1) }),
    /class folders b, new .* unknown/,
  );
});

const refused: readonly [what: string, files: readonly string[], folder: string, message: RegExp][] = [
  ['a folder that does not exist', [], 'nowhere', /There is no folder .*nowhere; give/],
  ['a file', ['x.jpg'], 'x.jpg', /is a file; give the folder/],
  ['a folder without images', ['train/a/notes.txt'], '', /There are no images in class folders/],
  ['a single class', ['train/a/1.jpg'], '', /single class a; .* two class folders/],
  [
    'two validation folders',
    ['train/a/1.jpg', 'val/a/1.jpg', 'valid/a/1.jpg'],
    '',
    /both val and valid for validation; keep one/,
  ],
];
for (const [what, files, folder, message] of refused) {
  test(`${what} is refused in a sentence`, async (t) => {
    const root = await temporaryFolder(t);
    await writeFiles(root, files);
    await assert.rejects(scanDataset(join(root, folder), shares), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('class names come from the file named, else from beside the data, and a broken file is refused', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, ['data/train/a/1.jpg', 'data/train/b/2.jpg']);
  await writeFiles(root, ['cat_to_name.json'], '{"a": "beside"}');
  await writeFiles(root, ['other.json'], '\uFEFF{"a": "named"}');
  await writeFiles(root, ['broken.json'], '{"a": 1}');
  const data = join(root, 'data');
  const nameOf = async (classNames?: string) =>
    (await scanDataset(data, classNames === undefined ? shares : { ...shares, classNames })).classes[0]?.name;
  assert.equal(await nameOf(), 'beside');
  assert.equal(await nameOf(join(root, 'other.json')), 'named');
  await assert.rejects(nameOf(join(root, 'broken.json')), /broken\.json.*the name of a is wrong: expected a text/);
  await assert.rejects(nameOf(join(root, 'none.json')), /no file of class names at .*none\.json/);
  await mkdir(join(data, 'cat_to_name.json'));
  await assert.rejects(nameOf(), /is a folder, not a file/);
});

test('a split keeps train full, gives each split one of three images, and follows the shares', () => {
  const seed = Date.now() % 1e6;
  const random = createRandom(seed, 'split test');
  for (let round = 0; round < 2000; round++) {
    const count = 1 + random.integer(60);
    const [validShare, testShare] = [random.next() * 0.5, random.next() * 0.5];
    const { valid, test: tested } = splitCounts(count, validShare, testShare);
    const told = `seed ${seed}: ${count} images, shares ${validShare} and ${testShare} gave ${valid} and ${tested}`;
    assert.ok(count - valid - tested >= 1, told);
    if (count >= 3) assert.ok(valid >= 1 && tested >= 1, told);
    if (count >= 10) assert.ok(Math.abs(valid - count * validShare) <= 1, told);
  }
  assert.deepEqual(splitCounts(100, 0.15, 0), { valid: 15, test: 0 });
  assert.deepEqual(splitCounts(1, 0.5, 0.5), { valid: 0, test: 0 });
});

test('the draw of one class does not depend on the others', () => {
  const files = Array.from({ length: 30 }, (_, index) => `${index}.jpg`);
  const split = splitClass('a', files, shares);
  assert.deepEqual(splitClass('a', files, shares), split);
  assert.notDeepEqual(splitClass('b', files, shares).valid, split.valid);
  assert.deepEqual([...split.train, ...split.valid, ...split.test].sort(), [...files].sort());
});

test('what an ignore list names is left out and said, also of a split or class that is scanned alone', async (t) => {
  const root = await temporaryFolder(t);
  const files = ['a/1.jpg', 'a/2.jpg', 'b/#3.jpg', 'b/4.jpg', 'b/deep/5.jpg', 'c/6.jpg'];
  await writeFiles(root, files.flatMap((file) => [`train/${file}`, `test/${file}`])); // prettier-ignore
  await writeFiles(
    root,
    ['fivecrop-ignore.txt'],
    '# mine\n\ntrain/a/1.jpg\r\n./test/a/2.jpg\ntrain/b/deep/\ntest/c\nno/such.jpg\n',
  );
  await writeFiles(join(root, 'train'), ['b/#0.jpg']);
  const { splits, notes } = await scanDataset(root, { ...shares, validShare: 0 });
  const names = (split: 'train' | 'test') => splits[split].map(({ file }) => relative(join(root, split), file).replaceAll('\\', '/')); // prettier-ignore
  assert.ok(!names('train').includes('a/1.jpg') && names('train').includes('a/2.jpg'));
  assert.deepEqual(names('train').filter((file) => file.startsWith('b/')), ['b/#0.jpg', 'b/#3.jpg', 'b/4.jpg']); // prettier-ignore
  assert.deepEqual(names('test'), ['a/1.jpg', 'b/#3.jpg', 'b/4.jpg', 'b/deep/5.jpg']);
  assert.match(
    notes.map(findingText).join('\n'),
    /^4 images or folders are put aside by fivecrop-ignore\.txt and are left out/mu,
  );
  await writeFiles(root, ['fivecrop-ignore.txt'], '\\#3.jpg\ntrain/b/\\#3.jpg\ntrain/b/#0.jpg\n');
  assert.deepEqual((await findImages([join(root, 'train/b')])).map((file) => basename(file)).sort(), ['#3.jpg', '4.jpg', '5.jpg']); // prettier-ignore
});

test('a list in a folder inside the data puts aside what it names there, behind links to folders too', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, ['a/1.jpg', 'a/2.jpg', 'a/deep/1.jpg', 'a/deep/3.jpg', 'b/1.jpg', 'b/2.jpg']);
  await writeFiles(root, ['b/.kept/4.jpg', 'b/.kept/5.jpg']);
  await symlink('.kept', join(root, 'b/linked'));
  await writeFiles(join(root, 'a'), ['fivecrop-ignore.txt'], '1.jpg\ndeep/3.jpg\n');
  await writeFiles(join(root, 'b'), ['fivecrop-ignore.txt'], 'linked/4.jpg\n');
  await writeFiles(join(root, 'b/.kept'), ['fivecrop-ignore.txt'], '5.jpg\n');
  const found = (files: readonly string[]) => files.map((file) => relative(root, file).replaceAll('\\', '/')).sort();
  assert.deepEqual(found(await findImages([root])), ['a/2.jpg', 'a/deep/1.jpg', 'b/1.jpg', 'b/2.jpg']);
});
