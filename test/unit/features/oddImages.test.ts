import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qualityNumbers } from '../../../src/ml/features/featureModel.ts';
import { oddImages, otherwiseWrong } from '../../../src/ml/features/findSuspects.ts';

/** Suspects among images that look alike but for how they are shaped: `WxH`. */
function oddAmong(sizes: readonly string[]) {
  const elongations = sizes.map((size) => {
    const [width = 1, height = 1] = size.split('x').map(Number);
    return Math.max(width, height) / Math.min(width, height);
  });
  const found = {
    decoded: new Uint8Array(sizes.length).fill(1),
    quality: Float32Array.from(elongations.flatMap((elongation) => [50, 100, 40, elongation])),
  };
  assert.equal(found.quality.length, sizes.length * qualityNumbers);
  const neighbours = { count: 1, rows: new Int32Array(sizes.length).fill(-1), cosines: new Float32Array(sizes.length).fill(-Infinity) }; // prettier-ignore
  return oddImages(found, { neighbours, duplicates: [] }, () => true, { about: (row) => ({ image: sizes[row] ?? '', folder: 'a' }), ownProbability: () => 1 }); // prettier-ignore
}

const usual = ['640x480', '480x640', '640x480', '600x400', '400x400', '640x480', '500x333', '480x640'];

test('images are long and narrow if they are more than twice as long for their width as most are', () => {
  const odd = oddAmong([...usual, ...usual, '1600x400', '300x1500', '640x360']);
  assert.deepEqual(odd.map(({ image }) => image), ['300x1500', '1600x400']); // prettier-ignore
  for (const { kind, what, score } of odd) {
    assert.deepEqual({ kind, what }, { kind: 'quality', what: 'elongated' });
    assert.ok(score > 0.5 && score < 1, `score ${score}`);
  }
});

test('where all images have the same shape, a few of another are not odd unless they are long and narrow', () => {
  const alike = Array<string>(20).fill('256x256');
  assert.deepEqual(oddAmong([...alike, '640x480', '480x640']), []);
  assert.deepEqual(oddAmong([...alike, '256x100']).map(({ image }) => image), ['256x100']); // prettier-ignore
  assert.deepEqual(oddAmong([...Array<string>(20).fill('300x100'), '100x310', '256x256']), []);
});

test('of near-duplicates in different classes the one is named whose class is less probable, and its twin is no wrong label for its sake', () => {
  const found = { decoded: new Uint8Array(4).fill(1), quality: new Float32Array(16).fill(1) };
  const neighbours = { count: 1, rows: new Int32Array(4).fill(-1), cosines: new Float32Array(4).fill(-Infinity) };
  const duplicates = [{ row: 2, twin: 0, score: 0.99 }, { row: 3, twin: 1, score: 0.98 }]; // prettier-ignore
  const folders = ['rose', 'tulip', 'aster', 'tulip'];
  const odd = oddImages(found, { neighbours, duplicates }, () => true, {
    about: (row) => ({ image: String(row), folder: folders[row] ?? '' }),
    ownProbability: (row) => [0.1, 0.2, 0.9, 0.9][row] ?? 0,
  });
  assert.deepEqual(odd.map(({ image, twin, likely }) => [image, twin, likely]), [['0', '2', 'aster'], ['3', '1', 'tulip']]); // prettier-ignore
  const isOtherwise = otherwiseWrong(odd);
  assert.ok(isOtherwise('2', 'rose'), 'the head has learned that from the twin');
  assert.ok(!isOtherwise('2', 'tulip'), 'the twin did not say so');
  assert.ok(!isOtherwise('0', 'aster'), 'it is named itself');
  assert.ok(!isOtherwise('1', 'rose'), 'its twin has the same class');
});
