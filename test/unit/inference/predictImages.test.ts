import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import sharp from 'sharp';
import { cropNames, imagePredictionSchema } from '../../../src/protocol/prediction.ts';
import { predictImages } from '../../../src/ml/inference/predictImages.ts';
import { renameClasses } from '../../../src/ml/inference/renameClasses.ts';
import { colourClassifier, cropSize } from './fakeClassifier.ts';

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** 16 x 16 pixels: the left half red, the right half blue, but the lower right quarter green. */
async function writeQuarters(file: string): Promise<void> {
  const pixels = Buffer.alloc(16 * 16 * 3);
  for (let at = 0; at < 256; at++) {
    const [x, y] = [at % 16, Math.floor(at / 16)];
    pixels[at * 3 + (x < 8 ? 0 : y < 8 ? 2 : 1)] = 255;
  }
  await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } })
    .png()
    .toFile(file);
}

async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}

test('five crops are classified one by one and averaged: the figures of a hand computation', async (t) => {
  const file = join(await temporaryFolder(t), 'quarters.png');
  await writeQuarters(file);
  const [first] = await collect(predictImages(colourClassifier(), [file], { cropCount: 5, topK: 3 }));
  const { crops, mean, width, height } = imagePredictionSchema.parse(first);
  assert.deepEqual([width, height], [16, 16]);
  assert.deepEqual(
    crops.map(({ crop, top }) => [crop, top[0]?.name, top[0]?.probability]),
    // The centre holds a quarter of each colour but two of red.
    [
      ['center', 'red', 0.5],
      ['upper left', 'red', 1],
      ['lower left', 'red', 1],
      ['lower right', 'green', 1],
      ['upper right', 'blue', 1],
    ],
  );
  // Red (0.5 + 1 + 1) / 5, green and blue (0.25 + 1) / 5.
  assert.deepEqual(mean, [
    { index: 0, folder: '1', name: 'red', probability: 0.5 },
    { index: 1, folder: '10', name: 'green', probability: 0.25 },
    { index: 2, folder: '100', name: 'blue', probability: 0.25 },
  ]);
  assert.deepEqual(
    crops.map(({ frame }) => [frame.left, frame.top, frame.width]),
    [
      [4, 4, 8],
      [0, 0, 8],
      [0, 8, 8],
      [8, 8, 8],
      [8, 0, 8],
    ],
  );
});

test('one crop is the centre, and its mean is itself', async (t) => {
  const file = join(await temporaryFolder(t), 'quarters.png');
  await writeQuarters(file);
  const [first] = await collect(predictImages(colourClassifier(), [file], { cropCount: 1, topK: 2 }));
  const { crops, mean } = imagePredictionSchema.parse(first);
  assert.deepEqual(
    crops.map(({ crop }) => crop),
    [cropNames[0]],
  );
  assert.deepEqual(crops[0]?.top, mean);
});

test('images go through in batches, in their order, and one that does not decode stops none', async (t) => {
  const folder = await temporaryFolder(t);
  const names = Array.from({ length: 7 }, (_, index) => join(folder, `${index}.png`));
  for (const name of names) await writeQuarters(name);
  await writeFile(names[2] ?? '', 'no image');
  const batches: number[] = [];
  const found = await collect(predictImages(colourClassifier(batches), names, { cropCount: 5, topK: 1 }));
  assert.deepEqual(
    found.map(({ image }) => image),
    names,
  );
  assert.deepEqual(
    found.map((prediction) => 'error' in prediction),
    [false, false, true, false, false, false, false],
  );
  assert.deepEqual(batches, [15, 15]);
});

test('a resize that leaves no room for the crop is a wrong use', async () => {
  const options = { cropCount: 5, topK: 1, resize: cropSize - 1 } as const;
  await assert.rejects(collect(predictImages(colourClassifier(), ['x.png'], options)), {
    name: 'UserError',
    kind: 'usage',
  });
});

test('an abort ends the predictions', async (t) => {
  const file = join(await temporaryFolder(t), 'quarters.png');
  await writeQuarters(file);
  const options = { cropCount: 1, topK: 1, signal: AbortSignal.abort() } as const;
  await assert.rejects(collect(predictImages(colourClassifier(), [file], options)), { name: 'CancelledError' });
});

test('other names go by folder and leave index and folder alone', () => {
  const renamed = renameClasses(colourClassifier(), new Map([['10', 'globe thistle']]));
  assert.deepEqual(renamed.labels[1], { index: 1, folder: '10', name: 'globe thistle' });
  assert.equal(renamed.labels[0]?.name, 'red');
});

test('a network that sees whole images has one crop, the whole image, and no other size', async (t) => {
  const file = join(await temporaryFolder(t), 'quarters.png');
  await writeQuarters(file);
  const classifier = colourClassifier();
  const whole = {
    ...classifier,
    preprocessing: { ...classifier.preprocessing, resize: cropSize, fit: 'squash' as const },
  };
  const [only] = await collect(predictImages(whole, [file], { cropCount: 5, topK: 3 }));
  const { crops, mean } = imagePredictionSchema.parse(only);
  assert.deepEqual(
    crops.map(({ crop, frame }) => [crop, frame]),
    [['center', { left: 0, top: 0, width: 16, height: 16 }]],
  );
  assert.deepEqual(
    mean.map(({ name, probability }) => [name, Math.round(probability * 100)]),
    [
      ['red', 50],
      ['green', 25],
      ['blue', 25],
    ],
  );
  await assert.rejects(collect(predictImages(whole, [file], { cropCount: 1, topK: 3, resize: 32 })), {
    name: 'UserError',
    message: /--resize cannot be used here, as the network sees whole images \(fit squash\)/,
  });
});
