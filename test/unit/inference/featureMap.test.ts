import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasAttention } from '../../../src/ml/inference/attentionMap.ts';
import { hasFeatureMap } from '../../../src/ml/inference/gradCam.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';

/** A network for five classes, on images of 64 pixels. */
function graphOf(name: string) {
  const pixels = { resize: 64, crop: 64, ...presetConstants('imagenet') };
  const head = { hidden: [], dropout: 0, classes: 5 };
  return namedNetwork(name).graph(head, { batchSize: 1, size: 64, pixels });
}

test('every convolutional network has a feature map for Grad-CAM, those too that pool none as a whole', () => {
  for (const name of ['resnet18', 'ConvNet3', 'mobilenet_v3_small', 'alexnet', 'vgg11', 'vgg16_bn', 'swin_t'])
    assert.ok(hasFeatureMap(graphOf(name)), name);
});

test('a vision transformer has none, but attention', () => {
  const graph = graphOf('timm/vit_small_patch16_224.augreg_in21k_ft_in1k');
  assert.deepEqual([hasFeatureMap(graph), hasAttention(graph)], [false, true]);
});
