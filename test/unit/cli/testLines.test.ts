import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cropLines } from '../../../src/ml/cli/cropLines.ts';
import { curveLines, writeCurves } from '../../../src/ml/cli/curvesFile.ts';
import { seenOfImages } from '../../../src/protocol/seenOfImages.ts';
import { calibrationLines } from '../../../src/ml/cli/calibrateCommand.ts';
import { rejectionLine, rejectionOf } from '../../../src/ml/cli/rejectionLine.ts';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';

/** Results with these confidences; negative ones are wrong. */
const results = (...confidences: readonly number[]): Evaluation['results'] =>
  confidences.map((confidence, place) => ({
    image: `${place}`,
    actual: 0,
    predicted: confidence < 0 ? 1 : 0,
    probability: Math.abs(confidence),
    actualProbability: 0.5,
  }));

test('a reject threshold is chosen by validation images and shown on the tested ones', () => {
  const rejection = rejectionOf(0, { results: results(0.9, 0.8, -0.7, 0.6) }, { results: results(0.95, -0.85, 0.3) });
  assert.deepEqual(rejection.validation, { threshold: 0.75, accepted: 2, coverage: 0.5, error: 0 });
  assert.deepEqual(rejection.tested, { threshold: 0.75, accepted: 2, coverage: 2 / 3, error: 0.5, images: 3 });
  assert.equal(
    rejectionLine(rejection),
    'For an error of 0 accept a confidence of 0.750000 or more. Accepted validation images: 2 of 4, error 0.000; tested images: 2 of 3, error 0.500',
  );
});

test('a target error that no threshold reaches is said', () => {
  const rejection = rejectionOf(0.1, { results: results(-0.9, 0.8) }, { results: results(0.9) });
  assert.deepEqual([rejection.validation, rejection.tested], [undefined, undefined]);
  assert.match(
    rejectionLine(rejection),
    /^No confidence threshold reaches an error of 0\.1 on the 2 validation images/,
  );
});

test('figures say what the networks saw of each image', () => {
  assert.equal(seenOfImages([{ cropCount: 5, fit: 'crop' }]), 'five crops');
  assert.equal(seenOfImages([{ cropCount: 1 }]), 'the center crop');
  assert.equal(seenOfImages([{ cropCount: 1, fit: 'squash' }, { cropCount: 1, fit: 'pad' }]), 'the whole image'); // prettier-ignore
  assert.equal(seenOfImages([{ cropCount: 5, fit: 'crop' }, { cropCount: 1, fit: 'pad' }]), 'five crops or the whole image'); // prettier-ignore
});

test('one crop against five names the images that only one of them gets right', () => {
  const figures = { interval: { low: 0, high: 1 }, macro: { precision: 0, recall: 0, f1: 0 }, loss: 1 };
  const lines = cropLines({
    images: 10,
    notCommon: 0,
    figures: [
      { ...figures, accuracy: 0.5 },
      { ...figures, accuracy: 0.6 },
    ],
    pairs: [{ first: 0, second: 1, both: 5, onlyFirst: 0, onlySecond: 1, neither: 4, p: 1, adjustedP: 1 }],
    ...{ names: ['1', '5'], classes: [] },
    disputed: [{ image: 'a.jpg', file: '/d/a.jpg', actual: 'rose', predicted: ['daisy', 'rose'], probability: [0.5, 0.6] }], // prettier-ignore
  });
  assert.ok(lines.includes('Both right: 5, only one crop: 0, only five: 1, both wrong: 4'));
  assert.deepEqual(lines.slice(-2), ['Right by five crops alone:', '  a.jpg (else taken for daisy)']);
  assert.ok(!lines.includes('Right by one crop alone:'));
});

test('curves are a row of CSV per class and threshold, and classes without images are named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'curves.csv');
  const labels = ['rose', '=daisy', 'tulip'].map((name, index) => ({ index, folder: name, name }));
  const images = [
    { actual: 0, probabilities: Float64Array.of(0.75, 0.25, 0) },
    { actual: 1, probabilities: Float64Array.of(0.5, 0.5, 0) },
  ];
  const written = await writeCurves(file, labels, images);
  assert.equal(
    await readFile(file, 'utf8'),
    [
      'class,name,threshold,precision,recall,false positive rate',
      'rose,rose,,1,0,0',
      'rose,rose,0.75,1,1,0',
      'rose,rose,0.5,0.5,1,1',
      "'=daisy,'=daisy,,1,0,0",
      "'=daisy,'=daisy,0.5,1,1,0",
      "'=daisy,'=daisy,0.25,0.5,1,1",
      '',
    ].join('\r\n'),
  );
  assert.deepEqual(curveLines(written), [
    'Mean over 2 classes: average precision 1.000, area under the ROC curve 1.000',
    'No curve, because there are no images: tulip',
  ]);
});

test('calibrate says the temperature of one crop and of five, what they change, and what a threshold costs', () => {
  const figures = { temperature: 1.372, before: { loss: 0.9, expectedError: 0.2 }, after: { loss: 0.7, expectedError: 0.05 } }; // prettier-ignore
  const accepted = { threshold: 0.61234567, accepted: 40, coverage: 0.8, error: 0.025 };
  const found = {
    calibration: {
      temperature: { 1: 1.372, 5: 1.372 },
      images: 50,
      rejection: { targetError: 0.03, threshold: { 1: 0.61234567 } },
    },
    fitted: [
      { crops: 1 as const, ...figures, accepted },
      { crops: 5 as const, ...figures, accepted: undefined },
    ],
  };
  assert.deepEqual(calibrationLines(found), [
    'crops  temperature  expected error  scaled  loss   scaled',
    '1      1.372        0.200           0.050   0.900  0.700',
    '5      1.372        0.200           0.050   0.900  0.700',
    'Fitted on 50 validation images.',
    'By one crop a confidence of 0.612346 or more is accepted: 40 of 50, error 0.025.',
    'By five crops no confidence threshold reaches an error of 0.03.',
  ]);
});
