import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timmConfigSchema } from '../../../src/protocol/timmConfig.ts';
import { timmConfig, timmPreprocessing } from '../../../src/ml/networks/timm.ts';

test('images of timm’s networks are resized to floor(size / crop_pct), as its own transforms do it', () => {
  // timm 1.0: transforms_imagenet_eval of each pretrained_cfg.
  const cases = [
    { size: 224, crop: 0.9, resize: 248 },
    { size: 224, crop: 0.875, resize: 256 },
    { size: 256, crop: 0.95, resize: 269 },
    { size: 300, crop: 1, resize: 300 },
    { size: 384, crop: 1, resize: 384 },
  ];
  for (const { size, crop, resize } of cases) {
    const config = timmConfig('any', { features: 8, size, crop, mean: 0.5, std: 0.25 });
    assert.deepEqual(timmPreprocessing(config), {
      resize,
      crop: size,
      interpolation: 'bicubic',
      scale: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      channels: 'rgb',
    });
  }
});

test('the config.json of the hub is read with what timm leaves out of it, and what cannot be prepared is refused', () => {
  const config = timmConfigSchema.parse({
    architecture: 'vit_small_patch14_dinov2',
    num_classes: 0,
    num_features: 384,
    global_pool: 'token',
    pretrained_cfg: { tag: 'lvd142m', input_size: [3, 518, 518], crop_pct: 1, custom_load: false, pool_size: null },
  });
  assert.equal('tag' in config.pretrained_cfg, false);
  assert.deepEqual(timmPreprocessing(config).mean, [0.485, 0.456, 0.406]);
  assert.equal(timmPreprocessing(config).resize, 518);
  assert.equal(timmPreprocessing(config, 224).resize, 224);
  const refused = (change: object) => () =>
    timmPreprocessing({ pretrained_cfg: { ...config.pretrained_cfg, ...change } });
  assert.throws(refused({ input_size: [3, 240, 320] }), /not square/);
  assert.throws(refused({ crop_mode: 'border' }), /mode border/);
  assert.throws(refused({ interpolation: 'hamming' }), /hamming/);
});
