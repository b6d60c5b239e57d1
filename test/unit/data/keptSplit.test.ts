import assert from 'node:assert/strict';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkpointSplitSchema, runSplitSchema } from '../../../src/protocol/runSplit.ts';
import { digestFile, packDigests, unpackDigests } from '../../../src/ml/data/imageDigest.ts';
import { samplesOf, type DigestsOf } from '../../../src/ml/data/digestImages.ts';
import { drawnSplit, keptFromHeader, keptFromRun, splitForHeader } from '../../../src/ml/data/keptSplit.ts';
import { matchImages } from '../../../src/ml/data/matchImages.ts';
import { scanDataset, type Dataset } from '../../../src/ml/data/scanDataset.ts';
import { splitNames } from '../../../src/protocol/dataReport.ts';
import { readRunSplit, writeRunSplit } from '../../../src/runs/split.ts';
import { temporaryFolder, writeFiles } from './temporaryImages.ts';
import { pathIn } from '../../../src/ml/data/pathIn.ts';

const shares = { validShare: 0.3, testShare: 0.3, seed: 7 };
const digests: DigestsOf = digestFile;

/** Two classes of ten images, each with a content of its own. */
async function drawn(t: TestContext) {
  const root = join(await temporaryFolder(t), 'data');
  for (const folder of ['cat', 'dog']) {
    for (let at = 0; at < 10; at++) await writeFiles(root, [`${folder}/${at}.jpg`], `${folder} ${at}`);
  }
  const dataset = await scanDataset(root, shares);
  return { root, dataset, split: drawnSplit(dataset, shares, digests) };
}

/** The paths by split, as a later scan with other settings and the kept split sees them. */
async function seen(root: string, kept: Parameters<typeof matchImages>[1]) {
  const dataset = await scanDataset(root, { validShare: 0.15, testShare: 0.15, seed: 0 });
  const matched = matchImages(dataset, kept, digests);
  const paths = (name: (typeof splitNames)[number]) => matched.splits[name].map(({ file }) => pathIn(root, file));
  return { ...matched, paths: { train: paths('train'), valid: paths('valid'), test: paths('test') } };
}

function headerOf(split: Parameters<typeof splitForHeader>[0]) {
  const header = checkpointSplitSchema.parse(JSON.parse(JSON.stringify(splitForHeader(split))));
  const kept = keptFromHeader(header, split.data);
  assert.ok(kept);
  return kept;
}

test('a split that is written is read again, from the folder as from a header, whatever the seed is by then', async (t) => {
  const { root, dataset, split } = await drawn(t);
  assert.deepEqual(runSplitSchema.parse(JSON.parse(JSON.stringify(split))), split);
  await writeRunSplit(root, split);
  assert.deepEqual(await readRunSplit(root), split);
  await rm(join(root, 'split.json'));
  for (const kept of [keptFromRun(split), headerOf(split)]) {
    const { paths, isOwn, splits } = await seen(root, kept);
    assert.deepEqual([paths, isOwn, splits], [split.images, true, dataset.splits]);
    assert.equal(kept.id, keptFromRun(split).id);
  }
});

test('images that come, go, are renamed or move to another folder move no other image', async (t) => {
  const { root, split } = await drawn(t);
  const [gone = '', renamed = ''] = split.images.train;
  const [moved = ''] = split.images.valid;
  await rm(join(root, gone));
  await rename(join(root, renamed), join(root, 'cat/another name.jpg'));
  await writeFiles(root, ['cat/new.jpg', gone], 'new');
  const elsewhere = `${root} moved`;
  await rename(root, elsewhere);
  await writeFile(join(elsewhere, moved), 'changed in place');
  for (const kept of [keptFromRun(split), headerOf(split)]) {
    const { paths, unknown, gone: missing, isOwn } = await seen(elsewhere, kept);
    const expected = split.images.train.filter((path) => path !== gone && path !== renamed);
    assert.deepEqual(paths.train.filter((path) => path !== 'cat/another name.jpg'), expected); // prettier-ignore
    assert.deepEqual(paths.valid, split.images.valid.filter((path) => path !== moved)); // prettier-ignore
    assert.deepEqual(paths.test, split.images.test);
    assert.equal(unknown.length, 3);
    assert.deepEqual([missing, isOwn], [{ train: 1, valid: 1, test: 0 }, true]);
  }
});

test('images of the same content in several splits are told apart by their paths; a copy elsewhere was trained on', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, ['a/1.jpg', 'a/2.jpg', 'a/3.jpg', 'b/1.jpg', 'b/2.jpg', 'b/3.jpg'], 'all alike');
  const dataset = await scanDataset(root, shares);
  const split = drawnSplit(dataset, shares, digests);
  const elsewhere = await temporaryFolder(t);
  await writeFiles(elsewhere, ['a/x.jpg', 'b/y.jpg'], 'all alike');
  for (const kept of [keptFromRun(split), headerOf(split)]) {
    assert.deepEqual((await seen(root, kept)).splits, dataset.splits);
    const { paths, firstUseOf, splits } = await seen(elsewhere, kept);
    assert.deepEqual(paths, { train: ['a/x.jpg', 'b/y.jpg'], valid: [], test: [] });
    assert.ok([...splits.train, ...dataset.splits.test].every((sample) => firstUseOf(sample) === 'train'));
  }
});

test('a copy that comes later takes no place of the run’s images, and hides none that is gone', async (t) => {
  const { root, split } = await drawn(t);
  const [copied = '', gone = ''] = split.images.train;
  const [folder = '', name = ''] = copied.split('/');
  // Before its original in the order of files, and in a class that comes before.
  await writeFiles(root, [`${folder}/!${name}`, 'ant/1.jpg'], `${folder} ${name.replace('.jpg', '')}`);
  await rm(join(root, gone));
  for (const kept of [keptFromRun(split), headerOf(split)]) {
    const { paths, unknown, gone: missing, splits, firstUseOf } = await seen(root, kept);
    assert.equal(paths.train.length, split.images.train.length - 1);
    assert.deepEqual([unknown.length, missing], [2, { train: 1, valid: 0, test: 0 }]);
    assert.ok([...splits.train, ...unknown].every((sample) => firstUseOf(sample) === 'train'));
  }
  const { paths } = await seen(root, keptFromRun(split));
  assert.deepEqual(paths.train, split.images.train.filter((path) => path !== gone)); // prettier-ignore
});

test('a folder with a few of the images is not the data of the run', async (t) => {
  const { root, split } = await drawn(t);
  const other = await temporaryFolder(t);
  for (let at = 0; at < 9; at++) await writeFiles(other, [`cat/a${at}.jpg`], `cat ${at}`);
  for (let at = 0; at < 9; at++) await writeFiles(other, [`dog/b${at}.jpg`], `other ${at}`);
  const { isOwn, unknown } = await seen(other, keptFromRun(split));
  assert.deepEqual([isOwn, unknown.length], [false, 9]);
  for (const at of [3, 4, 5, 6, 7, 8, 9]) await rm(join(root, `cat/${at}.jpg`));
  for (const at of [3, 4, 5, 6, 7, 8, 9]) await rm(join(root, `dog/${at}.jpg`));
  assert.equal((await seen(root, keptFromRun(split))).isOwn, true, 'its own folder is, with few images left');
});

test('a link to the data of a run leads to the data of the run', async (t) => {
  const { root, split } = await drawn(t);
  for (const name of ['cat', 'dog']) {
    for (let at = 3; at < 10; at++) await rm(join(root, `${name}/${at}.jpg`));
  }
  await symlink(root, `${root} link`, 'dir');
  assert.equal((await seen(`${root} link`, keptFromRun(split))).isOwn, true);
});

test('a header keeps no digests of more images than it has room for, and then knows that it does not know', async (t) => {
  const { split } = await drawn(t);
  const paths = Array.from({ length: 50_001 }, (_, at) => `a/${at}.jpg`);
  const large = { ...split, images: { ...split.images, train: paths }, digests: { ...split.digests, train: packDigests(paths.map((_, at) => at)) } }; // prettier-ignore
  const header = splitForHeader(large);
  assert.deepEqual([header.digests, keptFromHeader(header, 'data')], [undefined, undefined]);
});

test('digests keep 48 bits through base64, and tell files of the same size apart by beginning, middle or end', async (t) => {
  const numbers = [0, 1, 2 ** 48 - 1, 2 ** 40 + 3];
  assert.deepEqual(unpackDigests(packDigests(numbers)), numbers);
  const root = await temporaryFolder(t);
  const contents = [0, 50_000, 99_999].map((at) => Buffer.alloc(100_000).fill('x', at, at + 1));
  const found: (number | undefined)[] = [];
  for (const [at, content] of contents.entries()) {
    await writeFiles(root, [`${at}.jpg`], content);
    found.push(digestFile(join(root, `${at}.jpg`)));
  }
  assert.equal(new Set(found).size, 3);
  assert.equal(digestFile(join(root, 'none.jpg')), undefined);
});

test('a split whose digests are not those of its images, and one of a newer version, are refused', async (t) => {
  const { root, split } = await drawn(t);
  const write = (content: object) => writeFile(join(root, 'split.json'), JSON.stringify(content));
  await write({ ...split, images: { ...split.images, train: [] } });
  await assert.rejects(readRunSplit(root), {
    name: 'UserError',
    message: /split\.json is damaged .*not those of the images/,
  });
  await write({ ...split, version: 2 });
  await assert.rejects(readRunSplit(root), { name: 'UserError', message: /newer Fivecrop/ });
});

test('every image of a data set has a digest that no other has', async (t) => {
  const { dataset } = await drawn(t);
  const all = samplesOf(dataset satisfies Dataset).map(({ file }) => digests(file));
  assert.equal(new Set(all).size, 20);
});
