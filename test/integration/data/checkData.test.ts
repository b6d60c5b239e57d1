import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dataReportSchema, findingText } from '../../../src/protocol/dataReport.ts';
import { CancelledError } from '../../../src/protocol/errors.ts';
import { checkData } from '../../../src/ml/data/checkData.ts';
import { createDecodePool } from '../../../src/ml/data/decodePool.ts';
import { scanDataset } from '../../../src/ml/data/scanDataset.ts';
import { noiseImage, temporaryFolder, writeFiles } from '../../unit/data/temporaryImages.ts';

const shares = { validShare: 0.15, testShare: 0.15, seed: 0 };
const pool = createDecodePool(2);
after(() => pool.dispose());

async function messyFolder(root: string): Promise<void> {
  let seed = 0;
  const fresh = async (path: string) => writeFiles(root, [path], await noiseImage(seed++, 40 + seed, 40));
  for (let index = 0; index < 60; index++) await fresh(`train/a/${index}.png`);
  for (let index = 0; index < 9; index++) await fresh(`train/b/${index}.png`);
  await fresh('valid/c/0.png');
  const shared = await noiseImage(1000, 90, 40);
  await writeFiles(root, ['train/a/shared.png', 'valid/a/shared.png'], shared);
  const doubtful = await noiseImage(1001, 91, 40);
  await writeFiles(root, ['train/a/doubtful.png', 'train/b/doubtful.png'], doubtful);
  // A copy within one class and split teaches twice, but deceives nobody.
  await writeFiles(root, ['train/a/copy 1.png', 'train/a/copy 2.png'], await noiseImage(1002, 92, 40));
  await writeFiles(root, ['train/b/broken.jpg'], 'no image');
  await writeFiles(root, ['train/b/notes.txt'], 'notes');
  await writeFiles(root, ['cat_to_name.json'], '{"a": "aster", "b": "bellflower"}');
}

test('a full check finds what does not decode, what lies in two places, and what is uneven', async (t) => {
  const root = await temporaryFolder(t);
  await messyFolder(root);
  const progress: [done: number, total: number][] = [];
  const onProgress = (done: number, total: number) => progress.push([done, total]);
  const report = await checkData(await scanDataset(root, shares), { decode: true, pool, onProgress });
  assert.deepEqual(dataReportSchema.parse(report), report);
  assert.deepEqual(report.classes, [
    { index: 0, folder: 'a', name: 'aster', train: 64, valid: 1, test: 0 },
    { index: 1, folder: 'b', name: 'bellflower', train: 10, valid: 0, test: 0 },
    { index: 2, folder: 'c', name: 'c', train: 0, valid: 1, test: 0 },
  ]);
  assert.deepEqual(report.images, { train: 74, valid: 2, test: 0 });
  assert.deepEqual(report.undecodable.map(({ file }) => file).sort(), ['train/b/broken.jpg', 'train/b/notes.txt']);
  assert.deepEqual(report.duplicates, [
    { files: ['train/a/doubtful.png', 'train/b/doubtful.png'], same: 'file', acrossSplits: false, acrossClasses: true },
    { files: ['train/a/shared.png', 'valid/a/shared.png'], same: 'file', acrossSplits: true, acrossClasses: false },
  ]);
  const said = report.findings.map((finding) => `${finding.level}: ${findingText(finding)}`).join('\n');
  assert.match(said, /^error: No train images for 1 class \(c\)/);
  assert.match(
    said,
    /warning: 2 files cannot be used and are left out \(train\/b\/notes\.txt, train\/b\/broken\.jpg\)/,
  );
  assert.match(said, /warning: 1 image is in more than one class .*doubtful/);
  assert.match(said, /warning: 1 image is in more than one split .*shared\.png = valid.*Remove the copies from train/);
  assert.match(said, /warning: Classes are imbalanced: aster has 64 train images, bellflower has 10/);
  assert.match(said, /info: There are no test images/);
  assert.match(said, /info: 1 class is named after its folder \(c\), because the file of class names does not have it/);
  assert.deepEqual(progress.at(-1), [77, 77]);
});

test('a check without decoding finds identical files but opens no others', async (t) => {
  const root = await temporaryFolder(t);
  await messyFolder(root);
  const progress: number[] = [];
  const onProgress = (_: number, total: number) => progress.push(total);
  const report = await checkData(await scanDataset(root, shares), { decode: false, pool, onProgress });
  assert.deepEqual(report.duplicates.length, 2);
  assert.deepEqual(
    report.undecodable.map(({ file }) => file),
    ['train/b/notes.txt'],
  );
  assert.ok((progress[0] ?? 0) < 77);
});

test('files that only end alike are no copies of each other', async (t) => {
  const root = await temporaryFolder(t);
  const [one, two] = ['1', '2'].map((start) => start + 'x'.repeat(100_000)) as [string, string];
  await writeFiles(root, ['train/a/1.jpg', 'train/b/1.jpg'], one);
  await writeFiles(root, ['train/b/2.jpg', 'train/b/3.jpg'], two);
  const report = await checkData(await scanDataset(root, shares), { decode: false, pool });
  assert.deepEqual(report.duplicates.map(({ files }) => files), [['train/a/1.jpg', 'train/b/1.jpg']]); // prettier-ignore
});

test('a check can be broken off', async (t) => {
  const root = await temporaryFolder(t);
  await messyFolder(root);
  const dataset = await scanDataset(root, shares);
  const stopped = checkData(dataset, { decode: true, pool, signal: AbortSignal.abort() });
  await assert.rejects(stopped, CancelledError);
});

test('a clean and even data set has nothing to report', async (t) => {
  const root = await temporaryFolder(t);
  let seed = 0;
  for (const split of ['train', 'valid', 'test']) {
    for (let index = 0; index < 20; index++) {
      await writeFiles(
        root,
        [`${split}/${index % 2 === 0 ? 'a' : 'b'}/${index}.png`],
        await noiseImage(seed++, 30, 30),
      );
    }
  }
  const report = await checkData(await scanDataset(join(root), shares), { decode: true, pool });
  assert.deepEqual([report.findings, report.undecodable, report.duplicates], [[], [], []]);
});
