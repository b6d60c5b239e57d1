import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accuracyTestSchema, accuracyTestsSchema } from '../../../src/protocol/accuracyTests.ts';
import { checkExpectations } from '../../../src/protocol/checkExpectations.ts';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';
import { slicesByPath } from '../../../src/protocol/slices.ts';

const folders = ['daisy', 'rose'];

/** A test of `right` of 20 images of daisies and all of 5 roses; `wrong` are the daisies that are taken for roses. */
function evaluation(wrong: readonly number[]): Evaluation {
  const daisies = Array.from({ length: 20 }, (_, at) => ({ image: `/data/daisy/${at}.jpg`, actual: 0, predicted: wrong.includes(at) ? 1 : 0 })); // prettier-ignore
  const roses = Array.from({ length: 5 }, (_, at) => ({ image: `/data/rose/${at}.jpg`, actual: 1, predicted: 1 }));
  const results = [...daisies, ...roses].map((one) => ({ ...one, probability: 0.9, actualProbability: 0.5 }));
  const right = results.filter(({ actual, predicted }) => actual === predicted).length;
  return {
    ...{ version: 1, checkpoint: '/c', data: '/data', split: 'test', time: '', cropCount: 1, leftOut: 0, loss: 0 },
    ...{ images: 25, accuracy: right / 25, top5: 1, results },
    perClass: folders.map((folder, index) => ({ index, folder, name: folder.toUpperCase(), images: 0, accuracy: 0 })),
    confusion: [
      [0, 0, 20 - wrong.length],
      [0, 1, wrong.length],
      [1, 1, 5],
    ],
  };
}

const given = (expected: object) => accuracyTestSchema.parse({ name: 'a', data: '/data', ...expected });
const met = (expected: object, tested: Evaluation, baseline?: Evaluation) =>
  checkExpectations({ test: given(expected), evaluation: tested, slices: [], baseline }).map(({ isMet }) => isMet);

test('an expectation is met from its value on', () => {
  const tested = evaluation([0, 1, 2, 3, 4]);
  assert.deepEqual(met({ accuracy: 0.8, top5: 1 }, tested), [true, true]);
  assert.deepEqual(met({ accuracy: 0.801 }, tested), [false]);
  assert.deepEqual(met({ recall: { daisy: 0.75, ROSE: 1 } }, tested), [true, true]);
  assert.deepEqual(met({ recall: { DAISY: 0.76 } }, tested), [false]);
  // Daisies: 2 * 15 / (2 * 15 + 5), roses: 2 * 5 / (2 * 5 + 5).
  const f1 = (30 / 35 + 10 / 15) / 2;
  assert.deepEqual([met({ macroF1: f1 - 1e-9 }, tested), met({ macroF1: f1 + 1e-9 }, tested)], [[true], [false]]);
});

test('every slice has to reach its accuracy', () => {
  const tested = evaluation([0, 1, 2, 3, 4]);
  const slices = [slicesByPath(tested, 'daisy/')];
  const expected = given({ slices: [{ by: 'path:daisy/', accuracy: 0.8 }] });
  const checked = checkExpectations({ test: expected, evaluation: tested, slices, baseline: undefined });
  assert.deepEqual(
    checked.map(({ expected: one, isMet }) => [one, isMet]),
    [
      ['accuracy of path:daisy/, daisy/ at least 0.8', false],
      ['accuracy of path:daisy/, not daisy/ at least 0.8', true],
    ],
  );
});

test('an expectation that is not met names its images, the surest first, and where it stands in the test', () => {
  const tested = evaluation([2, 4]);
  const results = tested.results.map((one) => (one.image.endsWith('/4.jpg') ? { ...one, probability: 0.99 } : one));
  const expected = given({
    ...{ accuracy: 0.95, macroF1: 0.1, recall: { rose: 1, daisy: 0.95 }, baseline: { checkpoint: 'before', p: 1 } },
    slices: [{ by: 'path:daisy/', accuracy: 0.95 }],
  });
  const wrong = ['/data/daisy/4.jpg', '/data/daisy/2.jpg'];
  const checked = checkExpectations({
    test: expected,
    evaluation: { ...tested, results },
    slices: [slicesByPath({ ...tested, results }, 'daisy/')],
    baseline: evaluation([4]),
  });
  assert.deepEqual(
    checked.map(({ at, images }) => [at, images]),
    [
      [['accuracy'], wrong],
      [['macroF1'], []],
      [['recall', 'rose'], []],
      [['recall', 'daisy'], wrong],
      [['slices', 0], wrong],
      [['slices', 0], []],
      // Those that the baseline has right.
      [['baseline'], []],
    ],
  );
  const lost = checkExpectations({ test: given({ baseline: { checkpoint: 'before', p: 1 } }), evaluation: evaluation([2, 4, 6, 7, 8, 9, 10]), slices: [], baseline: evaluation([4, 6]) }); // prettier-ignore
  assert.deepEqual(
    lost[0]?.images,
    [2, 7, 8, 9, 10].map((at) => `/data/daisy/${at}.jpg`),
  );
});

test('the images behind a top-5 accuracy are those whose class is not among the five likeliest', () => {
  const tested = evaluation([0, 1]);
  const classes = Array.from({ length: 7 }, (_, index) => index);
  const rows = tested.results.map((_, image) =>
    classes.map((index) => (index === 0 ? (image === 0 ? 0.01 : 0.9) : 0.1)),
  );
  const float32 = Buffer.from(Float32Array.from(rows.flat()).buffer).toString('base64');
  const roses = tested.results.filter(({ actual }) => actual === 1).map(({ image }) => image);
  const [top5] = checkExpectations({
    test: given({ top5: 1 }),
    evaluation: { ...tested, top5: 0.8, probabilities: { classes, float32 } },
    slices: [],
    baseline: undefined,
  });
  // Every rose is behind daisies alone.
  assert.deepEqual([top5?.images, roses.length], [['/data/daisy/0.jpg'], 5]);
});

test('a checkpoint is worse than the baseline if that cannot be chance, by McNemar’s exact test', () => {
  const baseline = { checkpoint: 'before' };
  // 5 against 0: p is 2 / 2^5. 6 against 0: 2 / 2^6.
  assert.deepEqual(met({ baseline }, evaluation([0, 1, 2, 3, 4]), evaluation([])), [true]);
  assert.deepEqual(met({ baseline }, evaluation([0, 1, 2, 3, 4, 5]), evaluation([])), [false]);
  assert.deepEqual(met({ baseline: { ...baseline, p: 0.1 } }, evaluation([0, 1, 2, 3, 4]), evaluation([])), [false]);
  assert.deepEqual(met({ baseline }, evaluation([]), evaluation([0, 1, 2, 3, 4, 5])), [true]);
});

test('a class or a slice without images, and a baseline on other images, are told', () => {
  const tested = evaluation([]);
  assert.throws(() => met({ recall: { tulip: 0.5 } }, tested), /No tested image is of the class tulip/u);
  const expected = given({ slices: [{ by: 'path:tulip/', accuracy: 0.5 }] });
  for (const slices of [[slicesByPath(tested, 'tulip/')], [[]]]) {
    assert.throws(
      () => checkExpectations({ test: expected, evaluation: tested, slices, baseline: undefined }),
      /No tested image is in a slice by path:tulip\//u,
    );
  }
  const other = { ...tested, results: tested.results.slice(1) };
  assert.throws(() => met({ baseline: { checkpoint: 'b' } }, tested, other), /other images/u);
});

test('a file of tests that expects nothing, names two checkpoints or misspells a word is refused', () => {
  const parse = (one: object) =>
    accuracyTestsSchema.safeParse({ version: 1, tests: [{ name: 'a', data: 'd', ...one }] });
  assert.ok(parse({ accuracy: 0.5 }).success);
  assert.ok(!parse({}).success);
  assert.ok(!parse({ recall: {}, slices: [] }).success);
  assert.ok(!parse({ accuracy: 0.5, checkpoint: 'a', runs: 'b' }).success);
  assert.ok(!parse({ acuracy: 0.5 }).success);
  assert.ok(!parse({ accuracy: 50 }).success);
});
