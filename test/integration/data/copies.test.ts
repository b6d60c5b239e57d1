import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { findingText } from '../../../src/protocol/dataReport.ts';
import { checkData } from '../../../src/ml/data/checkData.ts';
import { createDecodePool } from '../../../src/ml/data/decodePool.ts';
import { drawSampleDataset } from '../../../src/ml/data/drawSampleDataset.ts';
import { scanDataset } from '../../../src/ml/data/scanDataset.ts';
import { temporaryFolder, writeFiles } from '../../unit/data/temporaryImages.ts';
import type { TestContext } from 'node:test';

const shares = { validShare: 0.15, testShare: 0.15, seed: 0 };
const pool = createDecodePool(2);
after(() => pool.dispose());
let flower: Buffer;
before(async () => {
  flower = await drawn(7);
});

/** A picture of blots on a ground that runs from one colour to another. */
async function drawn(seed: number, width = 320, height = 240): Promise<Buffer> {
  const blots = Array.from({ length: 12 }, (_, at) => {
    const part = (factor: number) => ((seed * 37 + at * factor) * 7919) % 100;
    return `<circle cx="${part(13)}%" cy="${part(29)}%" r="${5 + part(7) / 8}%" fill="hsl(${part(3) * 3.6},80%,${20 + part(11) / 2}%)"/>`;
  });
  const ground = `<linearGradient id="g"><stop stop-color="hsl(${seed * 40},50%,70%)"/><stop offset="1" stop-color="hsl(${seed * 70},60%,30%)"/></linearGradient>`;
  const svg = `<svg width="${width}" height="${height}"><defs>${ground}</defs><rect width="100%" height="100%" fill="url(#g)"/>${blots.join('')}</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().png().toBuffer();
}

async function copiesIn(t: TestContext, files: Readonly<Record<string, Uint8Array>>) {
  const root = await temporaryFolder(t);
  for (const [path, content] of Object.entries(files)) await writeFiles(root, [path], content);
  const report = await checkData(await scanDataset(root, shares), { decode: true, pool });
  return report;
}

const luma: [number, number, number] = [0.299, 0.587, 0.114];
const copies = {
  'as a JPEG of quality 60': () => sharp(flower).jpeg({ quality: 60 }).toBuffer(),
  'as a JPEG of quality 95': () => sharp(flower).jpeg({ quality: 95 }).toBuffer(),
  'as WebP': () => sharp(flower).webp({ quality: 75 }).toBuffer(),
  'at half its size': () => sharp(flower).resize(160).jpeg({ quality: 90 }).toBuffer(),
  'at twice its size': () => sharp(flower).resize(640).jpeg({ quality: 90 }).toBuffer(),
  'with a note in it': () =>
    sharp(flower)
      .withExif({ IFD0: { Copyright: 'nobody' } })
      .png()
      .toBuffer(),
  'without its colours': () => sharp(flower).recomb([luma, luma, luma]).jpeg({ quality: 90 }).toBuffer(),
};
for (const [how, save] of Object.entries(copies)) {
  test(`a picture that was re-encoded ${how} is found in another split`, async (t) => {
    const files = { 'train/a/1.png': flower, 'train/b/1.png': await drawn(8), 'valid/a/2.png': await save() };
    const { duplicates, findings } = await copiesIn(t, files);
    const group = {
      files: ['train/a/1.png', 'valid/a/2.png'],
      same: 'picture',
      acrossSplits: true,
      acrossClasses: false,
    };
    assert.deepEqual(duplicates, [group]);
    const said = findings.map(findingText).join('\n');
    assert.match(
      said,
      /1 image is in more than one split, re-encoded \(train\/a\/1\.png ≈ valid\/a\/2\.png\), .* Remove the copies from train\./u,
    );
  });
}

const others = {
  mirrored: () => sharp(flower).flop().png().toBuffer(),
  brighter: () => sharp(flower).linear(1.2, 0).png().toBuffer(),
  'with a small thing in it': () =>
    sharp(flower)
      .composite([{ input: { create: { width: 24, height: 24, channels: 3, background: 'black' } }, left: 9, top: 9 }])
      .png()
      .toBuffer(),
  'in other colours of the same brightness': () => sharp(flower).modulate({ hue: 180 }).png().toBuffer(),
};
for (const [how, save] of Object.entries(others)) {
  test(`a picture ${how} is another one`, async (t) => {
    const files = { 'train/a/1.png': flower, 'train/b/1.png': await drawn(8), 'valid/b/2.png': await save() };
    assert.deepEqual((await copiesIn(t, files)).duplicates, []);
  });
}

test('identical files among those that were re-encoded are told in one group, and others apart', async (t) => {
  const anew = await sharp(flower).jpeg().toBuffer();
  const second = await drawn(9);
  const { duplicates } = await copiesIn(t, {
    'train/a/1.png': flower,
    'train/a/same.png': flower,
    'train/b/anew.jpg': anew,
    'valid/a/1.png': second,
    'valid/b/1.png': second,
  });
  assert.deepEqual(
    duplicates.map(({ files, same }) => [same, ...files]),
    [
      ['picture', 'train/a/1.png', 'train/a/same.png', 'train/b/anew.jpg'],
      ['file', 'valid/a/1.png', 'valid/b/1.png'],
    ],
  );
});

test('a copy in the same class and split deceives nobody', async (t) => {
  const anew = await sharp(flower).jpeg().toBuffer();
  const other = { 'train/b/1.png': await drawn(8), 'valid/b/1.png': await drawn(9) };
  const { duplicates } = await copiesIn(t, { 'train/a/1.png': flower, 'train/a/2.jpg': anew, ...other });
  assert.deepEqual(duplicates, []);
});

test('none of the drawn sample flowers is taken for another', async (t) => {
  const root = await temporaryFolder(t);
  await drawSampleDataset(root, 0);
  const dataset = await scanDataset(root, shares);
  assert.deepEqual((await checkData(dataset, { decode: true, pool })).duplicates, []);
});
