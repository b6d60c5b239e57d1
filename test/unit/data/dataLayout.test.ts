import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { test, type TestContext } from 'node:test';
import { scanDataset, type Dataset, type ScanOptions } from '../../../src/ml/data/scanDataset.ts';
import { countsOf, whyUntrainable } from '../../../src/ml/data/whyUntrainable.ts';
import { findingText, splitNames } from '../../../src/protocol/dataReport.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import { temporaryFolder, writeFiles } from './temporaryImages.ts';

const shares = { validShare: 0.15, testShare: 0.15, seed: 0 };

/** `a/1.jpg`, `a/2.jpg`, ... for each folder. */
function images(folders: readonly string[], count = 2): string[] {
  return folders.flatMap((folder) => Array.from({ length: count }, (_, index) => `${folder}/${index + 1}.jpg`));
}

async function scan(t: TestContext, files: readonly string[], options: Partial<ScanOptions> = {}): Promise<Dataset> {
  const root = await temporaryFolder(t);
  await writeFiles(root, files);
  return scanDataset(root, { ...shares, ...options });
}

function classesOf({ classes }: Dataset): string[] {
  return classes.map(({ folder }) => folder);
}

function countsBySplit({ splits }: Dataset): number[] {
  return splitNames.map((name) => splits[name].length);
}

function said({ notes }: Dataset): string {
  return notes.map(findingText).join('\n');
}

const spelled: readonly (readonly [train: string, valid: string, test: string])[] = [
  ['Training', 'Validation', 'Testing'],
  ['TRAIN', 'DEV', 'EVAL'],
  ['trn', 'val', 'tst'],
  ['train_set', 'devel', 'test_set'],
  ['training-data', 'valid images', 'hold-out'],
];
for (const names of spelled) {
  test(`${names.join(', ')} are the three splits`, async (t) => {
    const dataset = await scan(
      t,
      names.flatMap((name, at) => images([`${name}/cat`, `${name}/dog`], at + 1)),
    );
    assert.deepEqual([dataset.splitBy, classesOf(dataset)], ['folders', ['cat', 'dog']]);
    assert.deepEqual(countsBySplit(dataset), [2, 4, 6]);
    assert.deepEqual(dataset.notes, []);
  });
}

const readings: readonly [what: string, files: readonly string[], refusal: RegExp, whenClasses: readonly string[]][] = [
  [
    'classes beside a folder named train with folders inside',
    images(['bus', 'car', 'train/2023', 'train/2024']),
    /train can be a split with the classes 2023, 2024, or a class beside bus, car; say which with --layout splits or/,
    ['bus', 'car', 'train'],
  ],
  [
    'splits without class folders',
    images(['train', 'test']),
    /images directly in test, train, which are splits without class folders, or classes; say which/,
    ['test', 'train'],
  ],
  ['one split without class folders', images(['train']), /directly in train, which is a split without/, []],
  [
    'two folders like splits without class folders beside a class',
    images(['bus', 'test', 'train']),
    /splits without class folders, or classes beside bus; say which/,
    ['bus', 'test', 'train'],
  ],
  [
    'splits inside classes',
    images(['cat/train', 'cat/test', 'dog/train', 'dog/test']),
    /cat\/test, .*cat\/train, .*dog\/test and 1 more lie inside a class folder and can be splits of that class/,
    ['cat', 'dog'],
  ],
  [
    'a split deep inside a class',
    [...images(['cat', 'dog']), ...images(['cat/old/validation'])],
    /cat\/old\/validation lies inside a class folder and can be a split/,
    ['cat', 'dog'],
  ],
  [
    'a split inside a class of a split',
    images(['train/cat', 'train/dog', 'train/dog/test', 'test/cat', 'test/dog']),
    /train\/dog\/test lies inside a class folder/,
    ['test', 'train'],
  ],
  [
    'splits inside a split folder',
    images(['train/train/cat', 'train/train/dog', 'train/test/cat']),
    /train holds test, train, which can be classes, or splits inside another folder/,
    [],
  ],
  [
    'words that say splits',
    images(['seg_train/cat', 'seg_train/dog', 'seg_test/cat', 'seg_test/dog']),
    /seg_test, seg_train can be splits \(then rename them/,
    ['seg_test', 'seg_train'],
  ],
  ['years of splits', images(['val2017', 'train2017']), /can be splits/, ['train2017', 'val2017']],
  [
    'splits one folder deeper',
    images(['images/train/cat', 'images/train/dog', 'images/val/cat']),
    /images holds train, val, which can be splits \(then name that folder as the data\)/,
    [],
  ],
];
for (const [what, files, refusal, whenClasses] of readings) {
  test(`${what} can be read in two ways: refused with both, and the flag decides`, async (t) => {
    const root = await temporaryFolder(t);
    await writeFiles(root, files);
    await assert.rejects(scanDataset(root, shares), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, refusal);
      assert.match(error.message, /--layout splits or --layout classes/);
      return true;
    });
    if (whenClasses.length === 0) return;
    const dataset = await scanDataset(root, { ...shares, layout: 'classes' });
    assert.deepEqual([dataset.splitBy, classesOf(dataset)], ['seed', whenClasses]);
    assert.equal(
      countsBySplit(dataset).reduce((sum, count) => sum + count),
      files.length,
    );
    assert.deepEqual(await scanDataset(root, { ...shares, keptSplitBy: 'seed' }), dataset);
  });
}

test('the flag makes splits of what could be a class, and what is left out is counted', async (t) => {
  const dataset = await scan(t, images(['bus', 'car', 'train/2023', 'train/2024'], 3), { layout: 'splits' });
  assert.deepEqual([dataset.splitBy, classesOf(dataset), countsBySplit(dataset)], ['folders', ['2023', '2024'], [4, 2, 0]]); // prettier-ignore
  assert.match(said(dataset), /6 images are not in a split and are left out \(bus, car\)/);
  await assert.rejects(
    scan(t, images(['bus', 'car']), { layout: 'splits' }),
    /no folder like train to take splits from/,
  );
  await assert.rejects(scan(t, images(['train', 'test']), { layout: 'splits' }), /no class folders in test, train/);
});

test('a folder beside splits that share their classes is left out with a line that counts its images', async (t) => {
  const dataset = await scan(t, images(['train/cat', 'train/dog', 'test/cat', 'test/dog', 'extra', 'extra/more']));
  assert.deepEqual(classesOf(dataset), ['cat', 'dog']);
  assert.match(
    said(dataset),
    /4 images are not in a split and are left out \(extra\)\. Move what is to be used into train, valid or test/,
  );
});

test('a class may be called like a split among other classes, and inside splits; the first is said', async (t) => {
  const classes = await scan(t, images(['bus', 'car', 'test'], 4));
  assert.deepEqual([classes.splitBy, classesOf(classes)], ['seed', ['bus', 'car', 'test']]);
  assert.match(said(classes), /test is read as a class, because it has no class folders inside/);
  const inside = await scan(t, images(['train/bus', 'train/train', 'test/bus', 'test/train']));
  assert.deepEqual([inside.splitBy, classesOf(inside)], ['folders', ['bus', 'train']]);
});

test('images beside the class folders of a split, and beside splits, have no class and are listed', async (t) => {
  const files = [...images(['train/cat', 'train/dog', 'test']), 'train/loose.jpg', 'root.png', 'README.md'];
  const dataset = await scan(t, files);
  const listed = dataset.withoutClass.map((file) => relative(dataset.root, file).split(sep).join('/'));
  assert.deepEqual(listed, ['root.png', 'test/1.jpg', 'test/2.jpg', 'train/loose.jpg']);
  assert.deepEqual([countsBySplit(dataset), dataset.notImages], [[2, 2, 0], []]);
});

test('names of one class that differ in case between splits are refused; two classes in one split stay two', async (t) => {
  const differing = scan(t, images(['train/Cat', 'train/dog', 'test/cat', 'test/dog']));
  await assert.rejects(differing, /class folders train\/Cat and test\/cat, whose names differ only in case/);
  const letters = await scan(t, images(['train/A', 'train/a', 'test/a']));
  if (process.platform === 'linux') assert.deepEqual(classesOf(letters), ['A', 'a']);
});

test('folders that all classes hold are said, since they may be the classes', async (t) => {
  const dataset = await scan(t, images(['2023/cat', '2023/dog', '2024/cat', '2024/dog']));
  assert.deepEqual(classesOf(dataset), ['2023', '2024']);
  assert.match(said(dataset), /All classes have the folders cat, dog, whose images count as theirs\. If those are/);
  assert.equal(said(await scan(t, images(['cat/left', 'dog/left']))), '');
});

test('folders of classes inside the single class are named in the refusal', async (t) => {
  await assert.rejects(
    scan(t, images(['photos/cat', 'photos/dog'])),
    /or name \S*photos as the data if cat, dog are the/,
  );
});

test('what systems leave behind is passed over, and folders without images are counted', async (t) => {
  const files = [
    ...images(['cat', 'dog', 'cat/@eaDir/1.jpg', '__MACOSX/cat', '#recycle', 'lost+found', 'cat/.AppleDouble']),
    ...['Thumbs.db', 'cat/Thumbs.db', 'cat/desktop.ini', 'cat/.DS_Store', 'cat/._1.jpg', 'notes/read.me'],
  ];
  const dataset = await scan(t, files);
  assert.deepEqual([classesOf(dataset), countsBySplit(dataset), dataset.notImages.length], [['cat', 'dog'], [2, 2, 0], 1]); // prettier-ignore
  assert.deepEqual(said(dataset), '1 folder holds no image and is not a class (notes). Add images if it should be.');
});

test('links that lead round in circles end, and each image is there once', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, images(['d/cat', 'd/dog', 'elsewhere'], 3));
  await symlink('.', join(root, 'd/cat/self'));
  await symlink('.', join(root, 'd/cat/again'));
  await symlink('../dog', join(root, 'd/cat/other'));
  await symlink('..', join(root, 'd/dog/up'));
  await symlink('../../elsewhere', join(root, 'd/dog/in'));
  await symlink('../../elsewhere', join(root, 'd/dog/in2'));
  await symlink('1.jpg', join(root, 'd/dog/same.jpg'));
  const dataset = await scanDataset(join(root, 'd'), shares);
  assert.equal(
    countsBySplit(dataset).reduce((sum, count) => sum + count),
    9,
  );
  assert.match(
    said(dataset),
    /6 links lead to what is already counted, or to folders that contain them, and are left out/,
  );
});

test('a folder that is linked into two splits is trained on, not tested, and said', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, images(['store/cat', 'd/train/dog', 'd/test/dog', 'd/valid/dog']));
  await writeFiles(root, ['d/test/cat/own.jpg', 'd/valid/cat/own.jpg']);
  await symlink(join(root, 'store/cat'), join(root, 'd/test/cat/more'));
  await symlink(join(root, 'store/cat'), join(root, 'd/train/cat'));
  const dataset = await scanDataset(join(root, 'd'), shares);
  assert.deepEqual(countsBySplit(dataset), [4, 3, 3]);
  assert.match(said(dataset), /1 link leads to what is already counted/);
});

const notLinux = process.platform !== 'linux' && 'only Linux has such names';
test('names that are not UTF-8 are left out and counted, and the rest is used', { skip: notLinux }, async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, images(['cat', 'dog']));
  const odd = Buffer.concat([Buffer.from(`${join(root, 'cat')}/caf`), Buffer.from([0xe9]), Buffer.from('.jpg')]);
  await writeFile(odd, '');
  await mkdir(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]));
  const dataset = await scanDataset(root, shares);
  assert.deepEqual(classesOf(dataset), ['cat', 'dog']);
  assert.match(said(dataset), /2 names are not UTF-8 and are left out \(caf\uFFFD, cat\/caf\uFFFD\.jpg\)/);
});

test('a data set is refused for training with the true reason', async (t) => {
  const why = async (files: readonly string[], options: Partial<ScanOptions> = {}) => {
    const found = whyUntrainable(countsOf(await scan(t, files, options)));
    return found && findingText(found);
  };
  assert.match((await why(images(['a', 'b'], 1))) ?? '', /no class has two images to train and validate on/);
  assert.match(
    (await why(images(['a', 'b']), { validShare: 0 })) ?? '',
    /validShare \(--valid-share\) is 0\. Raise it/,
  );
  assert.match((await why(images(['train/a', 'valid/b']))) ?? '', /No train images for 1 class \(b\)/);
  assert.match((await why(images(['test/a', 'valid/b']))) ?? '', /no images to train on/);
  assert.equal(await why(images(['a', 'b'])), undefined);
  const counts = countsOf(await scan(t, images(['a', 'b'])));
  const unread = { ...counts, classes: counts.classes.map((label) => ({ ...label, train: { found: 1, readable: label.index } })) }; // prettier-ignore
  assert.match(whyUntrainable(unread)?.what ?? '', /None of the train images of 1 class \(a\) can be read/);
});
