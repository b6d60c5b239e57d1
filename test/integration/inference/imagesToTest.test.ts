import assert from 'node:assert/strict';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { digestFile } from '../../../src/ml/data/imageDigest.ts';
import { drawnSplit, splitForHeader } from '../../../src/ml/data/keptSplit.ts';
import { scanDataset } from '../../../src/ml/data/scanDataset.ts';
import { imagesToTest, type TestRequest } from '../../../src/ml/inference/imagesToTest.ts';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { temporaryFolder, writeFiles } from '../../unit/data/temporaryImages.ts';
import { writeRandomCheckpoint } from '../../unit/inference/checkpointFixture.ts';
import { labels } from '../../unit/inference/fakeClassifier.ts';
import { pathIn } from '../../../src/ml/data/pathIn.ts';

const folders = labels.map(({ folder }) => folder);
const shares = { validShare: 0.3, testShare: 0.3, seed: 7 };

async function writeImages(root: string, places: readonly string[], count: number, tag = '') {
  for (const place of places) {
    for (let at = 0; at < count; at++) await writeFiles(root, [`${place}/${tag}${at}.jpg`], `${place} ${tag}${at}`);
  }
}

/** Data, and a checkpoint that was trained on it and lies alone. */
async function trained(
  t: TestContext,
  places: readonly string[] = folders,
  kept = true,
  copies: readonly (readonly [from: string, to: string])[] = [],
) {
  const folder = await temporaryFolder(t);
  const data = join(folder, 'data');
  await writeImages(data, places, 10);
  for (const [from, to] of copies) await cp(join(data, from), join(data, to));
  const dataset = await scanDataset(data, shares);
  const split = drawnSplit(dataset, shares, digestFile);
  const about: Partial<CheckpointMetadata> = kept ? { split: splitForHeader(split) } : {};
  const training = { run: 'test', method: 'scratch', step: 0, epoch: 0, data } as const;
  const checkpoint = await writeRandomCheckpoint(
    folder,
    { kind: 'architecture', name: 'ConvNet1' },
    {
      ...about,
      training,
    },
  );
  const choose = async (over: Partial<TestRequest> = {}) => {
    const chosen = await imagesToTest({ checkpoint, data, split: 'test', classes: labels, ...over });
    const paths = chosen.samples.map(({ file }) => pathIn(chosen.root, file)).sort();
    return { ...chosen.selection, paths, said: chosen.selection.notes.join('\n') };
  };
  return { folder, data, split, choose };
}

test('a copied checkpoint is tested on the images that its run set aside, also when others came and went', async (t) => {
  const { data, split, choose } = await trained(t);
  const before = await choose();
  assert.deepEqual([before.paths, before.chosenBy, before.notes], [split.images.test.toSorted(), 'run', []]);
  await writeImages(data, folders, 1, 'new');
  await rm(join(data, split.images.train[0] ?? ''));
  const after = await choose();
  assert.deepEqual([after.paths, after.knowsTraining], [before.paths, true]);
  assert.match(after.said, /3 images came after the run began, are in none of its splits and are not tested/);
  assert.deepEqual((await choose({ split: 'train' })).paths, split.images.train.slice(1).sort());
});

test('a moved data folder is the run’s data still, and another seed for it is refused', async (t) => {
  const { folder, data, split, choose } = await trained(t);
  const elsewhere = join(folder, 'elsewhere');
  await rename(data, elsewhere);
  const { paths, said } = await choose({ data: elsewhere });
  assert.deepEqual(paths, split.images.test.toSorted());
  assert.match(said, /elsewhere has the images that the run was trained on, so its own split is tested/);
  await assert.rejects(
    choose({ data: elsewhere, shares: { seed: 1 } }),
    /drew its split with seed 7, not 1: leave out/,
  );
  assert.deepEqual((await choose({ data: elsewhere, shares: { seed: 7 } })).paths, paths);
});

test('of another folder all images are tested but those that the run used, which are counted', async (t) => {
  const { folder, data, split, choose } = await trained(t);
  const other = join(folder, 'hold-out');
  await writeImages(other, folders, 6, 'h');
  const all = await choose({ data: other });
  assert.deepEqual([all.paths.length, all.chosenBy, all.alreadyUsed], [18, 'all', 0]);
  assert.match(all.said, /hold-out is not the data of the run: all its images \(18\) are tested/);
  await cp(join(data, split.images.train[0] ?? ''), join(other, folders[0] ?? '', 'renamed.jpg'));
  await cp(join(data, split.images.valid[0] ?? ''), join(other, folders[0] ?? '', 'chosen.jpg'));
  await cp(join(data, split.images.test[0] ?? ''), join(other, folders[0] ?? '', 'tested.jpg'));
  const some = await choose({ data: other });
  assert.deepEqual([some.paths.length, some.alreadyUsed], [19, 2]);
  assert.match(
    some.said,
    /1 image that the run trained on and 1 image by which it chose its best checkpoint are left out/,
  );
  await assert.rejects(choose({ data: other, split: 'valid' }), /has no splits, .*take --split test/);
  const drawn = await choose({ data: other, shares: { testShare: 0.5, validShare: 0, seed: 1 } });
  assert.equal(drawn.chosenBy, 'shares');
  assert.ok(drawn.paths.length < 15);
});

test('another folder with splits is tested on its own test split, which is said', async (t) => {
  const { folder, choose } = await trained(t);
  const other = join(folder, 'other');
  await writeImages(other, folders.flatMap((name) => [`Training/${name}`, `eval/${name}`]), 2); // prettier-ignore
  const { paths, said, chosenBy } = await choose({ data: other });
  assert.ok(paths.length === 6 && paths.every((path) => path.startsWith('eval/')));
  assert.equal(chosenBy, 'folders');
  assert.match(said, /the images of its own test split \(6\) are tested/);
});

test('what moved from the folder train to the folder test was trained on still; what is new in test is tested', async (t) => {
  const places = folders.flatMap((name) => [`train/${name}`, `val/${name}`, `test/${name}`]);
  const { data, split, choose } = await trained(t, places);
  const [first = ''] = split.images.train;
  await rename(join(data, first), join(data, `test/${folders[0] ?? ''}/moved.jpg`));
  await writeImages(data, [`test/${folders[0] ?? ''}`], 2, 'new');
  const { paths, said, alreadyUsed } = await choose();
  assert.deepEqual([paths.length, paths.includes('moved.jpg'), alreadyUsed], [32, false, 1]);
  assert.match(said, /1 image that the run trained on is left out of test/);
});

test('of the run’s own data a class folder that came or was renamed is left out and said; of another it is refused', async (t) => {
  const { folder, data, split, choose } = await trained(t);
  const [first = ''] = folders;
  await writeImages(data, ['fox'], 3);
  await rename(join(data, first), join(data, 'renamed'));
  const { paths, said } = await choose();
  const left = split.images.test.filter((path) => !path.startsWith(`${first}/`));
  assert.deepEqual(paths, left.toSorted());
  assert.match(said, /13 images are in folders that are not classes of the run \(fox, renamed\) and are left out/);
  assert.match(said, /3 images of the run’s test split are gone/);
  const other = join(folder, 'other');
  await writeImages(other, [first, 'fox'], 3, 'h');
  await assert.rejects(choose({ data: other }), /The class folder fox of .* is unknown to the checkpoint/);
  await writeImages(join(folder, 'strange'), ['fox', 'hen'], 3, 'h');
  await assert.rejects(choose({ data: join(folder, 'strange') }), /class folders fox, hen of .* are unknown/);
});

test('a copy of what was trained on is never tested, even where the test split had one from the beginning', async (t) => {
  const places = folders.flatMap((name) => [`train/${name}`, `val/${name}`, `test/${name}`]);
  const [first = ''] = folders;
  const { data, choose } = await trained(t, places, true, [[`train/${first}/0.jpg`, `test/${first}/copy.jpg`]]);
  await cp(join(data, `train/${first}/0.jpg`), join(data, `test/${first}/again.jpg`));
  const { paths, alreadyUsed } = await choose();
  assert.deepEqual([paths.length, alreadyUsed], [30, 2]);
});

test('a checkpoint that does not know its split says so', async (t) => {
  const { choose } = await trained(t, folders, false);
  const { paths, said, knowsTraining, chosenBy } = await choose();
  assert.deepEqual([paths.length, knowsTraining, chosenBy], [30, false, 'all']);
  assert.match(said, /does not say which images it was trained on, so some of those that are tested may be among them/);
});
