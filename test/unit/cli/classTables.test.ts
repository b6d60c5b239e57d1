import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationLines } from '../../../src/ml/cli/evaluationLines.ts';
import { reportLines } from '../../../src/ml/cli/reportLines.ts';
import type { DataReport } from '../../../src/protocol/dataReport.ts';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';

/** The last class is the worst and the smallest, but for one in the middle. */
const rank = (index: number, count: number) => (index === Math.floor(count / 2) ? 0 : count - index);

function evaluationOf(count: number): Evaluation {
  const perClass = Array.from({ length: count }, (_, index) => {
    const folder = `class_${index}`;
    return { index, folder, name: folder, images: count, accuracy: rank(index, count) / count };
  });
  const confusion = perClass.flatMap(({ index }): Evaluation['confusion'] => [
    [index, index, rank(index, count)],
    [index, (index + 1) % count, count - rank(index, count)],
  ]);
  const figures = {
    images: count,
    leftOut: 0,
    loss: 1,
    accuracy: 0.5,
    top5: 0.9,
    perClass,
    confusion,
    results: [],
  };
  return { version: 1, checkpoint: 'best', data: 'data', split: 'test', cropCount: 5, time: '', ...figures };
}

function reportOf(count: number): DataReport {
  const classes = Array.from({ length: count }, (_, index) => {
    const folder = `class_${index}`;
    return { index, folder, name: folder, train: rank(index, count), valid: 1, test: 1 };
  });
  const images = { train: count, valid: count, test: count };
  return { data: 'data', splitBy: 'folders', classes, images, undecodable: [], duplicates: [], findings: [] };
}

const classesIn = (lines: readonly string[]) => lines.flatMap((line) => /^class_\d+/.exec(line) ?? []);

test('of ten thousand classes test prints the twenty that are recognised worst, and where the others are', () => {
  const lines = evaluationLines(evaluationOf(10_000), 'best.test-5.evaluation.json');
  assert.deepEqual(classesIn(lines).slice(0, 3), ['class_5000', 'class_9999', 'class_9998']);
  assert.equal(classesIn(lines).length, 20);
  assert.equal(lines[21], 'and 9980 more classes, which best.test-5.evaluation.json lists');
  assert.match(lines.at(-1) ?? '', /^Testing Accuracy: 0\.500/);
});

test('test prints the means over classes and the interval of the accuracy, and no ratio without a denominator', () => {
  const label = (index: number) => ({ index, folder: `f${index}`, name: `n${index}` });
  const lines = evaluationLines(
    {
      ...evaluationOf(1),
      perClass: [
        { ...label(0), images: 4, accuracy: 0.75 },
        { ...label(1), images: 0, accuracy: 0 },
        { ...label(2), images: 1, accuracy: 0 },
      ],
      confusion: [
        [0, 0, 3],
        [0, 1, 1],
        [2, 0, 1],
      ],
      brier: 0.25,
      results: [
        { image: 'a', actual: 0, predicted: 0, probability: 0.9, actualProbability: 0.9 },
        { image: 'b', actual: 0, predicted: 1, probability: 0.5, actualProbability: 0.4 },
      ],
    },
    'kept',
  );
  // The figures of scikit-learn's classification_report and statsmodels' proportion_confint, method wilson.
  assert.deepEqual(lines.slice(1, -1), [
    'f1     n1    0       -         0.000      0.000',
    'f2     n2    1       0.000     -          0.000',
    'f0     n0    4       0.750     0.750      0.750',
    '',
    'confidence    images  mean confidence  accuracy',
    '0.47 to 0.53  1       0.500            0.000',
    '0.87 to 0.93  1       0.900            1.000',
    '',
    '1 images, five crops',
    'Mean over classes: precision 0.250, recall 0.250, F1 0.250',
    'Weighted by images: precision 0.600, recall 0.600, F1 0.600',
    'Calibration: expected error 0.300, negative log-likelihood 1.000, Brier score 0.250',
    '95% interval of the accuracy: 0.231 to 0.882',
  ]);
});

test('of ten thousand classes check prints the twenty with the fewest images, and where the others are', () => {
  const lines = reportLines(reportOf(10_000));
  assert.deepEqual(classesIn(lines).slice(0, 3), ['class_5000', 'class_9999', 'class_9998']);
  assert.equal(classesIn(lines).length, 20);
  assert.equal(lines[21], 'and 9980 more classes, which --json lists');
});

test('twenty classes are printed whole', () => {
  for (const lines of [evaluationLines(evaluationOf(20), 'kept'), reportLines(reportOf(20))]) {
    assert.equal(classesIn(lines).length, 20);
    assert.doesNotMatch(lines.join('\n'), / more /);
  }
  assert.match(reportLines(reportOf(21)).join('\n'), /and 1 more class, which --json lists/);
});
