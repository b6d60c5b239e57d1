import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifiedImages, listSummary } from '../../../src/webview/prediction/classifiedImages.ts';
import { agreement, seenWith, type PredictionRow } from '../../../src/webview/prediction/predictionRows.ts';
import { samplePrediction } from '../../pages/samples.ts';

const classified = (image: string, disagreeing = 0): PredictionRow => {
  return { kind: 'classified', image, prediction: samplePrediction(image, 0, 0.9, disagreeing), thumbnail: '' };
};
const failed = (image: string): PredictionRow => ({ kind: 'failed', image, error: 'damaged' });

test('images that could not be read are not counted as classified', () => {
  const rows = ['a', 'b', 'c', 'd', 'e'].map((image) => classified(image)).concat(['w', 'x', 'y', 'z'].map(failed));
  assert.equal(classifiedImages(rows), '5 images classified, 4 could not be read');
  assert.equal(classifiedImages([classified('a')]), '1 image classified');
  const left: PredictionRow = { kind: 'unclassified', image: 'l' };
  assert.equal(classifiedImages([classified('a'), left]), '1 image classified, 1 not classified');
});

test('the list says how many of its images are shown, and what is the matter with some', () => {
  assert.equal(
    listSummary([classified('a', 2), failed('b')], 3),
    '2 of 3 images · crops disagree in 1 · 1 could not be read',
  );
});

test('five crops seen as the centre crop alone show its ranking', () => {
  const row = classified('a', 5);
  const seen = seenWith(row, 1);
  assert.ok(seen.kind === 'classified' && row.kind === 'classified');
  assert.deepEqual(seen.prediction.mean, row.prediction.crops.find(({ crop }) => crop === 'center')?.top);
  assert.deepEqual(agreement(seen.prediction), { agreeing: 1, of: 1 });
  assert.equal(seenWith(row, 5), row);
  assert.equal(seenWith(seen, 5), seen, 'what has one crop only is shown as it is until it has five');
});
