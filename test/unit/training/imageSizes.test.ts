import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { openNetwork } from '../../../src/ml/training/run/openNetwork.ts';
import { preprocessingOf, runNetwork } from '../../../src/ml/training/run/runNetwork.ts';
import { tinyConfig } from './tinyDataset.ts';

/** Crop, short side and filter of torchvision's transforms; 224 pixels keep the report's short side. */
const usual: Readonly<Record<string, readonly [crop: number, resize: number, interpolation: string | undefined]>> = {
  resnet18: [224, 255, undefined],
  inception_v3: [299, 342, undefined],
  efficientnet_b0: [224, 255, 'bicubic'],
  efficientnet_b3: [300, 320, 'bicubic'],
  efficientnet_b7: [600, 600, 'bicubic'],
  efficientnet_v2_s: [384, 384, undefined],
};

test('a network trains on images of the size that its weights were trained with, if none is set', () => {
  for (const [name, [crop, resize, interpolation]] of Object.entries(usual)) {
    const config = tinyConfig('data', { method: 'head', imageSize: undefined, resize: undefined, batchSize: 4 });
    const { preprocessing } = runNetwork(config, namedNetwork(name), 3);
    const found = [preprocessing.crop, preprocessing.resize, preprocessing.interpolation];
    assert.deepEqual(found, [crop, resize, interpolation], name);
  }
});

test('sizes that are set count for more than those that a file’s pixels are said to have', () => {
  const preprocessing = { crop: 224, resize: 256 };
  const network = { kind: 'backbone', file: 'x.onnx', preprocessing } as const;
  const { images } = namedNetwork('resnet18');
  const sizesOf = (settings: Parameters<typeof tinyConfig>[1]) => {
    const config = tinyConfig('data', { network, imageSize: undefined, resize: undefined, ...settings });
    const { crop, resize } = preprocessingOf(config, images);
    return [crop, resize];
  };
  assert.deepEqual(sizesOf({}), [224, 256]);
  assert.deepEqual(sizesOf({ imageSize: 320 }), [320, 364]);
  assert.deepEqual(sizesOf({ resize: 300 }), [224, 300]);
});

test('the set of weights that is named says the filter, the size and the mean, and none without pretrained weights', async () => {
  const opened = async (name: string, method: 'head' | 'scratch', weights?: string) => {
    const network = { kind: 'architecture', name, ...(weights === undefined ? {} : { weights }) } as const;
    const { network: found } = await openNetwork({ network, method }, () => undefined);
    const { constants, usual: sizes } = found.images;
    return [sizes.crop, sizes.resize, constants.interpolation ?? 'bilinear', constants.mean[0]];
  };
  assert.deepEqual(await opened('efficientnet_b1', 'head'), [240, 256, 'bicubic', 0.485]);
  assert.deepEqual(await opened('efficientnet_b1', 'head', 'IMAGENET1K_V2'), [240, 255, 'bilinear', 0.485]);
  const swag = 'IMAGENET1K_SWAG_E2E_V1';
  assert.deepEqual(await opened('regnet_y_16gf', 'head', swag), [384, 384, 'bicubic', 0.485]);
  // Published weights of TensorFlow's Inception want pixels from -1 to 1; one that begins anew has ImageNet's mean.
  assert.deepEqual(await opened('inception_v3', 'head'), [299, 342, 'bilinear', 0.5]);
  assert.deepEqual(await opened('inception_v3', 'scratch'), [299, 342, 'bilinear', 0.485]);
});
