import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareEvaluations, comparisonSchema } from '../../../src/protocol/compareEvaluations.ts';
import { parseCsv } from '../../../src/protocol/csv.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';
import { differentImages, type NamedTest } from '../../../src/protocol/sameImages.ts';
import { comparisonReport, comparisonTables, differingClasses } from '../../../src/protocol/comparisonReport.ts';

const folders = ['daisy', 'rose', 'tulip'];

/** A test of images `CLASS/NUMBER.jpg` below `data`, from `[image, predicted]`. */
function evaluation(data: string, answers: readonly (readonly [string, string])[], classes = folders): Evaluation {
  const index = (folder = '') => classes.indexOf(folder);
  const results = answers.map(([image, predicted]) => ({
    image: `${data}/${image}`,
    actual: index(image.split('/')[0]),
    predicted: index(predicted),
    probability: 0.5,
    actualProbability: 0.25,
  }));
  const perClass = classes.map((folder, place) => ({ index: place, folder, name: folder, images: 0, accuracy: 0 }));
  const figures = { cropCount: 1 as const, images: results.length, leftOut: 0, loss: 0, accuracy: 0, top5: 0 };
  const about = { version: 1 as const, checkpoint: '/c', data, split: 'test', time: '' };
  return { ...about, ...figures, perClass, confusion: [], results };
}

function named(evaluations: readonly Evaluation[]): NamedTest[] {
  return evaluations.map((each, place) => ({ name: `run ${place + 1}`, evaluation: each }));
}

const compared = (evaluations: readonly Evaluation[]) => compareEvaluations(named(evaluations));

const first = evaluation('/flowers', [
  ['daisy/1.jpg', 'daisy'],
  ['daisy/2.jpg', 'rose'],
  ['rose/3.jpg', 'rose'],
  ['tulip/4.jpg', 'daisy'],
  ['tulip/5.jpg', 'tulip'],
]);
const second = evaluation('/elsewhere/flowers', [
  ['daisy/1.jpg', 'daisy'],
  ['daisy/2.jpg', 'daisy'],
  ['rose/3.jpg', 'tulip'],
  ['tulip/4.jpg', 'rose'],
  ['rose/6.jpg', 'rose'],
]);

test('runs are compared on the images that all were tested on, wherever the data lies', () => {
  const { images, notCommon, figures, pairs } = compared([first, second]);
  assert.deepEqual([images, notCommon], [4, 2]);
  assert.deepEqual(
    figures.map(({ accuracy }) => accuracy),
    [0.5, 0.5],
  );
  assert.deepEqual(
    figures.map(({ loss }) => loss.toFixed(6)),
    ['1.386294', '1.386294'],
  );
  assert.deepEqual(pairs, [
    { first: 0, second: 1, both: 1, onlyFirst: 1, onlySecond: 1, neither: 1, p: 1, adjustedP: 1 },
  ]);
});

test('the images that only some got right are named, with what each said', () => {
  assert.deepEqual(compared([first, second]).disputed, [
    {
      image: 'daisy/2.jpg',
      file: '/flowers/daisy/2.jpg',
      actual: 'daisy',
      predicted: ['rose', 'daisy'],
      probability: [0.5, 0.5],
    },
    {
      image: 'rose/3.jpg',
      file: '/flowers/rose/3.jpg',
      actual: 'rose',
      predicted: ['rose', 'tulip'],
      probability: [0.5, 0.5],
    },
  ]);
});

test('classes are the same by their folders, in whatever order a run has them', () => {
  const turned = evaluation(
    '/flowers',
    [
      ['daisy/1.jpg', 'daisy'],
      ['daisy/2.jpg', 'daisy'],
    ],
    ['tulip', 'rose', 'daisy'],
  );
  const { pairs } = compared([first, turned]);
  assert.deepEqual([pairs[0]?.both, pairs[0]?.onlySecond], [1, 1]);
});

test('every pair of several runs is tested', () => {
  const { pairs } = compared([first, second, first]);
  assert.deepEqual(
    pairs.map((pair) => [pair.first, pair.second]),
    [
      [0, 1],
      [0, 2],
      [1, 2],
    ],
  );
});

test('without a common image there is nothing to compare', () => {
  const other = evaluation('/flowers', [['daisy/9.jpg', 'daisy']]);
  assert.throws(
    () => compared([first, other]),
    (error) => error instanceof UserError && error.message.includes('No image'),
  );
});

test('each class says how many of its images each got right, and those that differ most come first', () => {
  const { classes } = compared([first, second]);
  assert.deepEqual(classes, [
    { folder: 'daisy', name: 'daisy', images: 2, right: [1, 2] },
    { folder: 'rose', name: 'rose', images: 1, right: [1, 0] },
    { folder: 'tulip', name: 'tulip', images: 1, right: [0, 0] },
  ]);
  assert.deepEqual(
    differingClasses(classes).map(({ folder }) => folder),
    ['rose', 'daisy'],
  );
});

test('tests of different images are told apart, and the sentence says how many are the same and why', () => {
  assert.equal(differentImages(named([first, first])), undefined);
  assert.deepEqual(differentImages(named([first, second])), {
    reason:
      'run 1 and run 2 were tested on different images (5 and 5, 4 of them the same), as they were tested in different folders, /flowers and /elsewhere/flowers',
    common: 4,
  });
  const drawn = (each: Evaluation): Evaluation => ({
    ...each,
    data: '/flowers',
    results: each.results.map((result) => ({ ...result, image: result.image.replace(each.data, '/flowers') })),
    selection: { chosenBy: 'run', knowsTraining: true, alreadyUsed: 0, notes: [] },
  });
  assert.match(differentImages(named([drawn(first), drawn(first), drawn(second)]))?.reason ?? '', /^run 1 and run 3 .*, as each run drew its own split/u); // prettier-ignore
});

test('an image that one test left out, since it did not decode, makes no other images of it', () => {
  const [gone, ...rest] = first.results;
  assert.ok(gone);
  const without = { ...first, results: rest, leftOut: 1, leftOutImages: [{ image: gone.image, reason: 'cut off' }] };
  assert.equal(differentImages(named([first, without])), undefined);
  assert.equal(differentImages(named([without, first])), undefined);
  assert.ok(differentImages(named([first, { ...first, results: rest }])));
});

test('images of the same names and other sizes are not the same images', () => {
  const sized = (each: Evaluation, width: number): Evaluation => ({
    ...each,
    results: each.results.map((result) => ({ ...result, look: { width, height: 400, sharpness: 9, brightness: 90 } })),
  });
  assert.equal(differentImages(named([sized(first, 500), sized(first, 500)])), undefined);
  const different = differentImages(named([sized(first, 500), sized({ ...first, data: '/flowers' }, 640)]));
  assert.equal(different?.common, 0);
  assert.match(different.reason, /different images of the same names, such as daisy\/1\.jpg/u);
});

test('losses are compared only if all runs have a temperature or none has', () => {
  const calibrated = { ...first, temperature: { value: 1.4, images: 30 } };
  const about = (evaluations: readonly Evaluation[]) => ({ comparison: compared(evaluations), settings: [], split: 'test' as const, seen: 'the centre crop' }); // prettier-ignore
  const headers = (evaluations: readonly Evaluation[]) => comparisonTables(about(evaluations))[0]?.header.includes('loss'); // prettier-ignore
  assert.deepEqual([headers([first, first]), headers([calibrated, calibrated]), headers([first, calibrated])], [true, true, false]); // prettier-ignore
  assert.match(comparisonReport('markdown', about([first, calibrated])), /Losses are left out/u);
});

test('a report names the runs, and its Markdown and CSV hold whatever names hold', () => {
  const comparison = { ...compared([first, second]), names: ['a|b', '=c'] };
  const about = { comparison, settings: [{ setting: 'learningRate', values: ['0.1', '0.2'] }], split: 'test' as const, seen: 'five crops' }; // prettier-ignore
  const markdown = comparisonReport('markdown', about);
  assert.match(markdown, /^# Comparison of a\\\|b, =c\n/u);
  assert.match(markdown, /\n\| learning rate \| 0\.1 \| 0\.2 \|\n/u);
  const [notes = [], results = [], , , settings = [], images = []] = comparisonReport('csv', about).split('\r\n\r\n').map(parseCsv); // prettier-ignore
  assert.match(notes[1]?.[0] ?? '', /^\d+ test images, five crops; 2 that only some were tested on/u);
  assert.deepEqual(results[2]?.[0], "'=c");
  assert.deepEqual(settings[0], ['setting', 'a|b', "'=c"]);
  assert.deepEqual(images[1], ['daisy/2.jpg', 'daisy', 'rose', 'daisy']);
  const read = JSON.parse(comparisonReport('json', about)) as unknown;
  assert.deepEqual(comparisonSchema.parse(read), comparison);
});
