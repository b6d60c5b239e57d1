import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawCurves, resample, type CurvePoint } from '../../../src/ml/cli/curves.ts';

const point = (step: number, trainLoss: number): CurvePoint => ({
  step,
  trainLoss,
  validLoss: trainLoss + 1,
  validAccuracy: 0.5,
});

test('a curve between unevenly spaced validations is linear in the step, not in the point', () => {
  const values = resample([point(0, 0), point(10, 10), point(40, 10)], ({ trainLoss }) => trainLoss, 5);
  assert.deepEqual(values, [0, 10, 10, 10, 10]);
  assert.deepEqual(
    resample([point(0, 4), point(40, 0)], ({ trainLoss }) => trainLoss, 5),
    [4, 3, 2, 1, 0],
  );
});

test('the drawing fits the width, and its axis carries the extremes of both losses', () => {
  const drawing = drawCurves([point(40, 2), point(80, 1), point(120, 0.5)], 60, false);
  assert.ok(drawing.split('\n').every((line) => line.length <= 60));
  assert.match(drawing, /3\.00 /);
  assert.match(drawing, /0\.50 /);
  assert.match(drawing, /steps 40 to 120/);
});

test('one validation is no curve', () => {
  assert.equal(drawCurves([point(40, 2)], 80, false), '');
});
