import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beta, drawMix, mixImages } from '../../../src/ml/data/mixBatch.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';

const size = 4;
const image = 3 * size * size;

function batchOf(count: number): Uint8Array {
  const random = createRandom('batch');
  return Uint8Array.from({ length: count * image }, () => random.integer(256));
}

test('mixup blends every image with the one before it, the first with the last', () => {
  const pixels = batchOf(3);
  const before = pixels.slice();
  mixImages(pixels, size, { kind: 'mixup', own: 0.7 });
  pixels.forEach((value, at) => {
    const neighbour = before[(at + 2 * image) % before.length] ?? 0;
    assert.ok(Math.abs(value - (0.7 * (before[at] ?? 0) + 0.3 * neighbour)) < 0.5 + 1e-9, `value ${at}`);
  });
});

test('CutMix pastes a rectangle of the one before, and the share of the own class is what is left of the area', () => {
  for (let seed = 0; seed < 50; seed++) {
    const pixels = batchOf(3);
    const before = pixels.slice();
    const mix = drawMix({ mixup: 0, cutmix: 1 }, size, createRandom(seed));
    assert.ok(mix?.kind === 'cutmix');
    mixImages(pixels, size, mix);
    let kept = 0;
    for (let at = 0; at < image; at++) {
      const [x, y] = [at % size, Math.floor(at / size) % size];
      const inside: boolean = x >= mix.box.left && x < mix.box.right && y >= mix.box.top && y < mix.box.bottom;
      kept += Number(!inside);
      assert.equal(pixels[at], before[inside ? at + 2 * image : at], `seed ${seed}, value ${at}`);
    }
    assert.ok(Math.abs(kept / image - mix.own) < 1e-12);
  }
});

test('a batch of one image stays as it is', () => {
  const pixels = batchOf(1);
  mixImages(pixels, size, { kind: 'mixup', own: 0.3 });
  assert.deepEqual(pixels, batchOf(1));
});

test('with both, each batch has one of them, and without either nothing is drawn', () => {
  const random = createRandom('both');
  const kinds = Array.from({ length: 400 }, () => drawMix({ mixup: 0.2, cutmix: 1 }, 32, random)?.kind);
  const share = kinds.filter((kind) => kind === 'mixup').length / kinds.length;
  assert.ok(share > 0.4 && share < 0.6, `${share} are mixup`);
  assert.equal(drawMix({ mixup: 0, cutmix: 0 }, 32, random), undefined);
});

for (const alpha of [0.05, 0.2, 0.8, 1, 3]) {
  test(`shares are of the Beta(${alpha}, ${alpha}) distribution`, () => {
    const random = createRandom('beta', alpha);
    const values = Array.from({ length: 20_000 }, () => beta(alpha, random));
    assert.ok(values.every((value) => value >= 0 && value <= 1));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const expected = 1 / (4 * (2 * alpha + 1));
    assert.ok(Math.abs(mean - 0.5) < 0.015, `mean ${mean}`);
    assert.ok(Math.abs(variance / expected - 1) < 0.05, `variance ${variance} instead of ${expected}`);
  });
}
