import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { createDecodePool } from '../../../src/ml/data/decodePool.ts';
import { type FeatureModel, qualityNumbers } from '../../../src/ml/features/featureModel.ts';
import { imageFeatures } from '../../../src/ml/features/imageFeatures.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { imagenetPixels } from '../../../src/ml/networks/weightSets.ts';
import { noiseImage } from '../../unit/data/temporaryImages.ts';

const size = 32;
let folder = '';
const formerCache = process.env['FIVECROP_CACHE'];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fivecrop-features-'));
  process.env['FIVECROP_CACHE'] = join(folder, 'cache');
});
after(async () => {
  if (formerCache === undefined) delete process.env['FIVECROP_CACHE'];
  else process.env['FIVECROP_CACHE'] = formerCache;
  await rm(folder, { recursive: true, force: true });
});

/** A network that sees nothing of images, which it is shown whole. */
function blind(fit: 'pad' | 'squash'): FeatureModel {
  return {
    width: 1,
    preprocessing: { ...imagenetPixels(), resize: size, crop: size, fit },
    key: `blind-${fit}`,
    run: ({ shape: [count = 0] }) => Promise.resolve(float32Tensor([count, 1], new Float32Array(count))),
    dispose: () => Promise.resolve(),
  };
}

test('how an image looks depends neither on the black bars beside it nor on its squashing, on the first look and on the next', async () => {
  const pool = createDecodePool();
  try {
    const [wide, tall, square] = ['wide.png', 'tall.png', 'square.png'].map((name) => join(folder, name));
    const noise = await noiseImage(1, 96, 96);
    await sharp(noise)
      .resize(96, 24, { fit: 'fill' })
      .toFile(wide ?? '');
    await sharp(noise)
      .resize(24, 96, { fit: 'fill' })
      .toFile(tall ?? '');
    await sharp(noise).toFile(square ?? '');
    const samples = [wide, tall, square].map((file = '') => ({ file, classIndex: 0 }));
    const looks = async (fit: 'pad' | 'squash') => {
      const { quality } = await imageFeatures(blind(fit), samples, { pool, log: (sentence) => assert.fail(sentence) });
      const brightness = samples.map((_, row) => quality[row * qualityNumbers + 1] ?? 0);
      const contrast = samples.map((_, row) => quality[row * qualityNumbers + 2] ?? 0);
      const elongations = samples.map((_, row) => quality[row * qualityNumbers + 3]);
      assert.deepEqual(elongations, [4, 4, 1]);
      return { brightness, contrast };
    };
    const squashed = await looks('squash');
    for (const padded of [await looks('pad'), await looks('pad')]) {
      for (const [at, value] of padded.brightness.entries()) {
        assert.ok(
          Math.abs(value - (squashed.brightness[at] ?? 0)) < 3,
          `${value}, squashed ${squashed.brightness[at]}`,
        );
        assert.ok(Math.abs((padded.contrast[at] ?? 0) / (squashed.contrast[at] ?? 0) - 1) < 0.1);
      }
    }
  } finally {
    await pool.dispose();
  }
});
