import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { evaluationMetrics, type MeanMetrics } from '../../../src/protocol/evaluationMetrics.ts';

interface Expected {
  readonly confusion: [number, number, number][];
  readonly classes: number[];
  readonly precision: number[];
  readonly recall: number[];
  readonly f1: number[];
  readonly support: number[];
  readonly macro: MeanMetrics;
  readonly weighted: MeanMetrics;
  readonly interval: { readonly low: number; readonly high: number };
}

/** Written by sklearn_metrics.py beside it. */
const file = join(import.meta.dirname, '../../fixtures/sklearn_metrics.json');
const cases = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Expected>);

function assertClose(actual: unknown, expected: unknown, what: string): void {
  const flat = (value: unknown): number[] =>
    typeof value === 'number' ? [value] : Object.values(value as object).flatMap(flat);
  const [ours, theirs] = [flat(actual), flat(expected)];
  assert.equal(ours.length, theirs.length, what);
  theirs.forEach((value, at) =>
    assert.ok(Math.abs((ours[at] ?? NaN) - value) < 1e-12, `${what}: ${ours[at]}, ${value}`),
  );
}

for (const [name, expected] of cases) {
  test(`precision, recall, F1, their means and the interval are those of scikit-learn and statsmodels: ${name}`, () => {
    const found = evaluationMetrics({ perClass: [], confusion: expected.confusion });
    const column = (key: 'index' | 'images' | 'precision' | 'recall' | 'f1') => found.perClass.map((row) => row[key]);
    assert.deepEqual([column('index'), column('images')], [expected.classes, expected.support]);
    for (const key of ['precision', 'recall', 'f1'] as const) assertClose(column(key), expected[key], key);
    assertClose(found.macro, expected.macro, 'macro');
    assertClose(found.weighted, expected.weighted, 'weighted');
    assertClose(found.accuracyInterval, expected.interval, 'interval');
  });
}

test('classes keep their names, and one that an older file does not name is called by its index', () => {
  const perClass = [{ index: 0, folder: '1', name: 'rose', images: 2, accuracy: 0.5 }];
  const { perClass: found } = evaluationMetrics({ perClass, confusion: [[0, 0, 1], [0, 7, 1]] }); // prettier-ignore
  assert.deepEqual(
    found.map(({ name, images, predicted }) => [name, images, predicted]),
    [
      ['rose', 2, 1],
      ['class 7', 0, 1],
    ],
  );
});
