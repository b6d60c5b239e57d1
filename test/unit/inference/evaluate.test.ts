import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import type { Classifier } from '../../../src/ml/inference/classifier.ts';
import { evaluate } from '../../../src/ml/inference/evaluate.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import cases from '../../fixtures/sklearn_calibration.json' with { type: 'json' };
import { colourClassifier } from './fakeClassifier.ts';

test('accuracy, loss, classes and confusion are exact over the images', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const write = async (name: string, background: { r: number; g: number; b: number }) => {
    const file = join(folder, name);
    await sharp({ create: { width: 20, height: 16, channels: 3, background } })
      .png()
      .toFile(file);
    return file;
  };
  const red = await write('red.png', { r: 240, g: 0, b: 60 });
  const green = await write('green.png', { r: 0, g: 100, b: 100 });
  const broken = join(folder, 'broken.png');
  await writeFile(broken, 'no image');
  const leftOut: string[] = [];
  const classifier = colourClassifier();
  const found = await evaluate(
    classifier,
    [
      { file: red, classIndex: 0 },
      { file: red, classIndex: 2 },
      { file: green, classIndex: 1 },
      { file: broken, classIndex: 1 },
    ],
    { cropCount: 5, onLeftOut: (image) => leftOut.push(image) },
  );
  const whole = {
    ...classifier,
    preprocessing: { ...classifier.preprocessing, resize: classifier.preprocessing.crop, fit: 'pad' as const },
  };
  const seenWhole = await evaluate(whole, [{ file: red, classIndex: 0 }], { cropCount: 5 });
  assert.deepEqual([found, seenWhole].map(({ cropCount, fit }) => [cropCount, fit]), [[5, 'crop'], [1, 'pad']]); // prettier-ignore
  // Red is 0.8 red and 0.2 blue; green is a tie of green and blue, which goes to the lower index.
  const loss = -(Math.log(0.8) + Math.log(0.2) + Math.log(0.5)) / 3;
  assert.ok(Math.abs(found.loss - loss) < 1e-6, `${found.loss} is not ${loss}`);
  assert.deepEqual([found.images, found.leftOut, found.accuracy, found.top5], [3, 1, 2 / 3, 1]);
  assert.deepEqual(leftOut, [broken]);
  assert.deepEqual(found.leftOutImages?.map(({ image }) => image), leftOut); // prettier-ignore
  assert.deepEqual(found.confusion, [
    [0, 0, 1],
    [1, 1, 1],
    [2, 0, 1],
  ]);
  assert.deepEqual(
    found.perClass.map(({ folder: name, images, accuracy }) => [name, images, accuracy]),
    [
      ['1', 1, 1],
      ['10', 1, 1],
      ['100', 1, 0],
    ],
  );
  const wrong = found.results[1];
  assert.deepEqual([wrong?.actual, wrong?.predicted], [2, 0]);
  assert.ok(Math.abs((wrong?.actualProbability ?? 0) - 0.2) < 1e-6);
});

test('loss and Brier score are scikit-learn’s log_loss and brier_score_loss', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const { actual, unit, loss, brier } = cases['three classes'];
  const images = actual.map((classIndex, row) => ({ file: join(folder, `${row}.png`), classIndex }));
  for (const [row, { file }] of images.entries()) {
    const background = { r: row, g: row, b: row };
    await sharp({ create: { width: 20, height: 16, channels: 3, background } }).png().toFile(file); // prettier-ignore
  }
  // The brightness of an image is the row of its probabilities.
  const classifier: Classifier = {
    ...colourClassifier(),
    probabilities: ({ shape: [count = 0], data }) => {
      const rows = Array.from({ length: count }, (_, at) => unit[data[(at * data.length) / count] ?? 0] ?? []);
      return Promise.resolve(float32Tensor([count, 3], Float32Array.from(rows.flat())));
    },
  };
  const scored: { actual: number; probabilities: number[] }[] = [];
  const found = await evaluate(classifier, images, {
    cropCount: 1,
    onScored: (image) => scored.push({ actual: image.actual, probabilities: [...image.probabilities] }),
  });
  assert.ok(Math.abs(found.loss - loss) < 1e-12, `${found.loss} is not ${loss}`);
  assert.ok(Math.abs((found.brier ?? NaN) - brier) < 1e-12, `${found.brier} is not ${brier}`);
  assert.deepEqual(scored, actual.map((own, row) => ({ actual: own, probabilities: unit[row] }))); // prettier-ignore
});

test('images that vanish during a test end it with the folder named, not with figures over the rest', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const images = Array.from({ length: 12 }, (_, at) => ({ file: join(folder, `${at}.png`), classIndex: 0 }));
  for (const { file } of images) {
    await sharp({ create: { width: 20, height: 16, channels: 3, background: 'red' } }).toFile(file);
  }
  const onProgress = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  await assert.rejects(evaluate(colourClassifier(), images, { cropCount: 1, onProgress }), (error: Error) => {
    assert.equal(error.name, 'UserError');
    assert.ok(error.message.startsWith(`${folder} is no longer there after `), error.message);
    return true;
  });
});

test('a class that is predicted is listed although it has no image', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'red.png');
  const create = { width: 20, height: 16, channels: 3 as const, background: { r: 240, g: 0, b: 60 } };
  await sharp({ create }).png().toFile(file);
  const { perClass } = await evaluate(colourClassifier(), [{ file, classIndex: 1 }], { cropCount: 1 });
  assert.deepEqual(
    perClass.map(({ index, images, accuracy }) => [index, images, accuracy]),
    [
      [0, 0, 0],
      [1, 1, 0],
    ],
  );
});

test('images of which none decodes are a user error', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'a.png');
  await writeFile(file, 'no image');
  await assert.rejects(evaluate(colourClassifier(), [{ file, classIndex: 0 }], { cropCount: 1 }), {
    name: 'UserError',
    message: /None of the images can be decoded/,
  });
});
