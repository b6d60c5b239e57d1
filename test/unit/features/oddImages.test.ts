import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qualityNumbers } from '../../../src/ml/features/featureModel.ts';
import { oddImages } from '../../../src/ml/features/findSuspects.ts';

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
  return oddImages(found, { neighbours, duplicates: [] }, () => true, (row) => ({ image: sizes[row] ?? '', folder: 'a' })); // prettier-ignore
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
