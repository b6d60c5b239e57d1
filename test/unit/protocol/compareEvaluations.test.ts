import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareEvaluations } from '../../../src/protocol/compareEvaluations.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';

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
  const { images, notCommon, figures, pairs } = compareEvaluations([first, second]);
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
  assert.deepEqual(compareEvaluations([first, second]).disputed, [
    { image: 'daisy/2.jpg', actual: 'daisy', predicted: ['rose', 'daisy'] },
    { image: 'rose/3.jpg', actual: 'rose', predicted: ['rose', 'tulip'] },
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
  const { pairs } = compareEvaluations([first, turned]);
  assert.deepEqual([pairs[0]?.both, pairs[0]?.onlySecond], [1, 1]);
});

test('every pair of several runs is tested', () => {
  const { pairs } = compareEvaluations([first, second, first]);
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
    () => compareEvaluations([first, other]),
    (error) => error instanceof UserError && error.message.includes('No image'),
  );
});
