import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balancedClassWeights } from '../../../src/ml/training/loop/classWeights.ts';
import { sliceRows } from '../../../src/ml/graph/sliceRows.ts';
import { lossTargets } from '../../../src/ml/operators/loss/lossTargets.ts';

/** Drawn by torch 1.13 (`torch.manual_seed(0)`), log-softmax of a 4 x 3 matrix of normal numbers. */
const logProbabilities = [
  [-0.16885163545499998, -2.0032766494599894, -3.8886371257736005],
  [-0.2861976917552391, -1.9391513114599277, -2.2532243644067833],
  [-1.0542768666682836, -0.6195973812999231, -2.176881292766942],
  [-1.2864504410598943, -1.479742278742847, -0.7010704310664142],
].flat();
const labels = Int32Array.of(2, 0, 1, 2);
const classWeights = Float64Array.of(0.5, 2, 1.25);

/** What torch 1.13's CrossEntropyLoss says of these logits, in float64. */
const torchLosses = [
  { labelSmoothing: 0, weighted: false, loss: 1.3738756574737943 },
  { labelSmoothing: 0, weighted: true, loss: 1.4238856109054967 },
  { labelSmoothing: 0.1, weighted: false, loss: 1.3852994039757054 },
  { labelSmoothing: 0.1, weighted: true, loss: 1.4465383169943589 },
];

function lossOf(targets: Float32Array): number {
  return -targets.reduce((sum, target, index) => sum + target * (logProbabilities[index] ?? NaN), 0);
}

for (const { labelSmoothing, weighted, loss } of torchLosses) {
  test(`the loss with smoothing ${labelSmoothing}${weighted ? ' and class weights' : ''} is torch's CrossEntropyLoss`, () => {
    const targets = lossTargets(labels, { classes: 3, labelSmoothing, ...(weighted ? { classWeights } : {}) });
    assert.deepEqual(targets.shape, [4, 3]);
    assert.ok(Math.abs(lossOf(targets.data) - loss) < 1e-6, `${lossOf(targets.data)} is not ${loss}`);
  });
}

test('losses of micro-batches add up to the loss of the batch', () => {
  const targets = lossTargets(labels, { classes: 3, labelSmoothing: 0.1, classWeights });
  const whole = lossOf(targets.data);
  const first = sliceRows(targets, 0, 3);
  const second = sliceRows(targets, 3, 4);
  assert.deepEqual([first.shape, second.shape], [[3, 3], [1, 3]]); // prettier-ignore
  assert.ok(first.dtype === 'float32' && second.dtype === 'float32');
  const padded = Float32Array.from([...new Float32Array(9), ...second.data]);
  assert.ok(Math.abs(lossOf(first.data) + lossOf(padded) - whole) < 1e-6);
});

test('a label outside the classes is refused', () => {
  assert.throws(() => lossTargets(Int32Array.of(3), { classes: 3, labelSmoothing: 0 }), RangeError);
});

test('balanced weights are scikit-learn’s, with a mean of 1 over the images', () => {
  // sklearn.utils.class_weight.compute_class_weight('balanced', classes=[0, 1, 2], y=[0, 0, 0, 1, 1, 2])
  const weights = balancedClassWeights([0, 0, 0, 1, 1, 2], 3);
  assert.deepEqual(
    [...weights].map((weight) => Number(weight.toFixed(6))),
    [0.666667, 1, 2],
  );
  assert.deepEqual([...balancedClassWeights([0, 2], 3)], [1, 0, 1]);
});

test('targets of mixed images sum to one image each, and with nothing mixed they are the plain ones', () => {
  const options = { classes: 3, labelSmoothing: 0.1 };
  assert.deepEqual(lossTargets(labels, options, 1), lossTargets(labels, options));
  const mixed = lossTargets(labels, { classes: 3, labelSmoothing: 0 }, 0.75);
  // Each has a quarter of the class of the image before it, the first of the last's.
  assert.deepEqual(
    Array.from(mixed.data, (value) => value * 4),
    [0, 0, 1, 0.75, 0, 0.25, 0.25, 0.75, 0, 0, 0.25, 0.75],
  );
});
