import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { outOfFoldProbabilities, stratifiedFolds } from '../../../src/ml/features/outOfFold.ts';
import { standardized } from '../../../src/ml/features/softmaxHead.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';

test('every fold has its share of each class, and rows without a label are in none', () => {
  const labels = Int32Array.from({ length: 103 }, (_, row) => (row % 10 === 9 ? -1 : row % 3));
  const folds = stratifiedFolds(labels, 5, 0);
  for (let label = 0; label < 3; label++) {
    const counts = Array.from({ length: 5 }, (_, fold) => labels.filter((own, row) => own === label && folds[row] === fold).length); // prettier-ignore
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
  }
  labels.forEach((label, row) => assert.equal(folds[row] === -1, label === -1));
});

test('an image is judged by what the others say: an exchanged label has a small probability', async () => {
  const random = createRandom(1, 'folds');
  const [rows, width] = [120, 8];
  const truth = Int32Array.from({ length: rows }, (_, row) => row % 3);
  const features = Float32Array.from(
    { length: rows * width },
    (_, at) => random.next() * 0.5 + Number(truth[Math.floor(at / width)] === (at % width) % 3),
  );
  const labels = truth.slice();
  labels[5] = 0;
  const options = { classes: 3, epochs: 30, batchSize: 32, learningRate: 0.01, weightDecay: 0.1, seed: 0 };
  const scaled = standardized({ width, features }, () => true);
  const placement = { engine: onnxEngine, device: 'cpu' };
  const probabilities = await outOfFoldProbabilities(scaled, labels, 4, options, placement);
  assert.ok((probabilities[5 * 3] ?? 1) < 0.2 && (probabilities[5 * 3 + 2] ?? 0) > 0.8);
  truth.forEach((label, row) => assert.ok(row === 5 || (probabilities[row * 3 + label] ?? 0) > 0.5, String(row)));
});

test('features are brought to mean 0 and deviation 1 over the rows that count; a constant one becomes 0', () => {
  const { features } = standardized({ width: 2, features: Float32Array.from([1, 5, 3, 5, 100, 5]) }, (row) => row < 2);
  assert.deepEqual([...features.subarray(0, 4)], [-1, 0, 1, 0]);
});
