import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Points } from '../../../src/charts/downsample.ts';
import { meanLine, precisionRecallLine, rocLine } from '../../../src/charts/scoreLines.ts';
import { classCurve, type ScoredImage } from '../../../src/protocol/classCurves.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { seed } from '../engine/seed.ts';

const random = createRandom(seed, 'scoreLines');
const labels = [0, 1, 2].map((index) => ({ index, folder: `${index}`, name: '' }));
/** Of each class a few images, with probabilities that are often the same. */
const images = Array.from({ length: 40 }, (_, at): ScoredImage => {
  const raised = labels.map(({ index }) => Math.round(10 * random.next() + (index === at % 3 ? 3 : 0)) + 1);
  const sum = raised.reduce((all, value) => all + value, 0);
  return { actual: at % 3, probabilities: Float64Array.from(raised, (value) => value / sum) };
});
const curves = labels.map((label) => {
  const curve = classCurve(label, label.index, images);
  assert.ok(curve);
  return curve;
});

/** The area below a line of steps. */
function area({ x, y }: Points, step: 'before' | 'after'): number {
  return [...x.keys()].reduce((sum, at) => {
    if (at === 0) return sum;
    return sum + ((x[at] ?? 0) - (x[at - 1] ?? 0)) * ((step === 'before' ? y[at] : y[at - 1]) ?? 0);
  }, 0);
}

test('the area below the steps of a precision-recall curve is the average precision', () => {
  for (const { points, averagePrecision } of curves) {
    assert.ok(Math.abs(area(precisionRecallLine(points), 'before') - averagePrecision) < 1e-12);
  }
});

test('the steps of a ROC curve rise to the most recall at each false positive rate and end at 1', () => {
  for (const { points, areaUnderRoc = NaN } of curves) {
    const line = rocLine(points);
    for (const [at, x] of line.x.entries()) {
      const there = points.filter(({ falsePositiveRate }) => falsePositiveRate <= x).map(({ recall }) => recall);
      assert.equal(line.y[at], Math.max(...there));
    }
    assert.deepEqual([line.x.at(-1), line.y.at(-1)], [1, 1]);
    // Steps leave out the triangles above images of the same probability.
    assert.ok(area(line, 'after') <= areaUnderRoc + 1e-12);
  }
});

test('the mean of the curves of all classes has the mean of their areas below it', () => {
  const mean = curves.reduce((sum, { averagePrecision }) => sum + averagePrecision, 0) / curves.length;
  const line = meanLine(curves.map(({ points }) => precisionRecallLine(points)), 'before'); // prettier-ignore
  assert.ok(Math.abs(area(line, 'before') - mean) < 1e-12, `${area(line, 'before')} is not ${mean}`);
  const own = curves.map(({ points }) => rocLine(points));
  const roc = meanLine(own, 'after');
  const areas = own.reduce((sum, each) => sum + area(each, 'after'), 0) / own.length;
  assert.ok(Math.abs(area(roc, 'after') - areas) < 1e-12, `${area(roc, 'after')} is not ${areas}`);
  assert.ok(Math.abs((roc.y.at(-1) ?? 0) - 1) < 1e-12);
});

test('the mean of steps steps wherever one of them does', () => {
  const lines = [
    { x: Float64Array.of(0, 0.5, 1), y: Float64Array.of(1, 0.5, 0) },
    { x: Float64Array.of(0, 0.25, 1), y: Float64Array.of(1, 1, 0.5) },
  ];
  // Up to 0.5 the first is 0.5, up to 0.25 the second is 1.
  const before = meanLine(lines, 'before');
  assert.deepEqual([...before.x], [0, 0, 0.25, 0.5, 1]);
  assert.deepEqual([...before.y], [1, 1, 0.75, 0.5, 0.25]);
  // From 0.5 on the first is 0.5, and at 1 both are at their ends.
  const after = meanLine(lines, 'after');
  assert.deepEqual([...after.x], [0, 0.25, 0.5, 1, 1]);
  assert.deepEqual([...after.y], [1, 1, 0.75, 0.25, 0.25]);
});
