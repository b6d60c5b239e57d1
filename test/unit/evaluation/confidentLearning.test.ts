import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelIssues } from '../../../src/ml/evaluation/confidentLearning.ts';
import cases from '../../fixtures/confident_learning.json' with { type: 'json' };

for (const { classes, labels, probabilities, contradicted, likely, scores, estimated } of cases) {
  test(`the labels that ${labels.length} images of ${classes} classes contradict are cleanlab’s, in its order and number`, () => {
    const found = labelIssues(Float32Array.from(probabilities), Int32Array.from(labels), classes);
    assert.deepEqual(
      found.map(({ row }) => row),
      contradicted,
    );
    assert.deepEqual(
      found.map((issue) => issue.likely),
      likely,
    );
    found.forEach(({ score }, place) => assert.ok(Math.abs(score - (scores[place] ?? 0)) < 2e-6));
    assert.equal(found.filter(({ isCounted }) => isCounted).length, estimated);
  });
}

test('an image without a label, which did not decode, is no issue', () => {
  const found = labelIssues(Float32Array.from([0.9, 0.1, 0.2, 0.8, 0, 0]), Int32Array.from([0, 0, -1]), 2);
  assert.deepEqual(
    found.map(({ row }) => row),
    [1],
  );
});
