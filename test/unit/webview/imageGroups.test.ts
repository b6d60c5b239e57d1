import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibration } from '../../../src/protocol/calibration.ts';
import { acceptedAt } from '../../../src/protocol/rejection.ts';
import { confusionMatrix, mostConfused } from '../../../src/webview/evaluation/confusions.ts';
import { cropCounts } from '../../../src/webview/evaluation/cropComparison.ts';
import { imagesOf } from '../../../src/webview/evaluation/imageGroup.ts';
import { shownEvaluation } from '../../../src/webview/evaluation/shownEvaluation.ts';
import { shownTests } from '../../../src/webview/evaluation/shownTests.ts';
import { sampleEvaluation } from '../../pages/samples.ts';

const [one, five] = [shownEvaluation(sampleEvaluation(8, 1)), shownEvaluation(sampleEvaluation(8, 5))];
const pair = { 1: one, 5: five };
const isRight = ({ actual, predicted }: { actual: number; predicted: number }) => actual === predicted;

test('the bars of the reliability diagram lead to every image once', () => {
  const { bins } = calibration(five.results);
  const found = bins.map((_, place) => imagesOf({ kind: 'bin', place }, five, pair).results);
  assert.deepEqual(found.map(({ length }) => length), bins.map(({ images }) => images)); // prettier-ignore
  assert.equal(new Set(found.flat()).size, five.images);
});

test('what a threshold accepts and rejects are the images that it counts', () => {
  const [threshold, group] = [0.9, { kind: 'confidence', threshold: 0.9 } as const];
  const found = (accepted: boolean, right: boolean) => imagesOf({ ...group, accepted, right }, five, pair).results;
  const { accepted, error } = acceptedAt(five.results, threshold);
  assert.equal(found(true, true).length + found(true, false).length, accepted);
  assert.ok(Math.abs(found(true, false).length / accepted - error) < 1e-12);
  assert.equal(found(false, true).length + found(false, false).length, five.images - accepted);
  assert.ok(found(false, false).every((result) => !isRight(result) && result.probability < threshold));
});

test('images that the host names are shown in its order, and of how many they are the first', () => {
  const paths = five.results.slice(0, 3).map(({ image }) => image).reverse(); // prettier-ignore
  const group = { kind: 'named', title: 'Expected accuracy at least 1; found 0.9', paths } as const;
  const all = imagesOf({ ...group, of: 3 }, five, pair);
  assert.deepEqual(all.results.map(({ image }) => image), paths); // prettier-ignore
  assert.equal(all.title, 'Expected accuracy at least 1; found 0.9: 3 images');
  const some = imagesOf({ ...group, paths: [...paths, '/gone.png'], of: 40 }, five, pair);
  assert.equal(some.title, 'Expected accuracy at least 1; found 0.9: 3 of 40 images');
});

test('images that one crop gets right and five do not are told apart from the opposite, and as the others see them', () => {
  const counts = cropCounts(pair);
  assert.ok(counts);
  const { both, onlyOne, onlyFive, neither } = counts;
  assert.equal(both + onlyOne, one.results.filter(isRight).length);
  assert.equal(both + onlyFive, five.results.filter(isRight).length);
  assert.equal(neither + both + onlyOne + onlyFive, one.images);
  const alone = imagesOf({ kind: 'crops', right: 1 }, five, pair).results;
  assert.equal(alone.length, onlyOne);
  assert.ok(alone.every((result) => five.results.includes(result) && !isRight(result)));
  assert.equal(cropCounts({ 1: one }), undefined);
});

test('a large matrix keeps the classes that most images are confused in, in their order', () => {
  const large = sampleEvaluation(102, 1);
  const whole = confusionMatrix(large);
  const { classes } = mostConfused(whole, large, 30);
  assert.equal(classes.length, 30);
  assert.deepEqual(
    classes,
    classes.toSorted((a, b) => a - b),
  );
  const confused = (index: number) =>
    large.confusion.reduce((sum, [a, b, count]) => sum + (a !== b && (a === index || b === index) ? count : 0), 0);
  const left = whole.classes.filter((index) => !classes.includes(index));
  assert.ok(Math.min(...classes.map(confused)) >= Math.max(...left.map(confused)));
  assert.equal(mostConfused(whole, large, 102), whole);
});

test('a threshold is chosen by the validation images that were tested in the same way, if there are any', () => {
  const tested = sampleEvaluation(8, 5);
  const valid = { ...tested, split: 'valid' };
  const written = tested.time;
  const shown = (evaluations: (typeof tested)[]) => shownTests(evaluations, { crops: 5 }, written).validation;
  assert.equal(shown([tested, valid]), valid);
  assert.equal(shown([valid, tested]), undefined);
  assert.equal(shown([tested, { ...valid, cropCount: 1 }]), undefined);
  assert.equal(shown([tested, { ...valid, temperature: { value: 2, images: 9 } }]), undefined);
  const ofBefore = { ...valid, time: new Date(Date.parse(written) - 1000).toISOString() };
  assert.equal(shown([tested, ofBefore]), undefined, 'that of an earlier checkpoint says nothing of this one');
});
