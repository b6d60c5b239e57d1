import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearNames } from '../../../src/ml/networks/nearNames.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';

const known = ['resnet18', 'resnet34', 'timm/vit_small_patch14_dinov2.lvd142m', 'mobilenet_v2', 'ConvNet1'];

test('a wrong name is answered with those that hold it, or else with those a few letters away', () => {
  assert.deepEqual(nearNames('vit_small_patch14_dinov2', known), ['timm/vit_small_patch14_dinov2.lvd142m']);
  assert.deepEqual(nearNames('dinov2', known), ['timm/vit_small_patch14_dinov2.lvd142m']);
  assert.deepEqual(nearNames('resnet_18', known), ['resnet18', 'resnet34']);
  assert.deepEqual(nearNames('mobilenetv2', known), ['mobilenet_v2']);
  assert.deepEqual(nearNames('something else', known), []);
});

test('the registry says what may have been meant', () => {
  assert.throws(() => namedNetwork('resnet81'), /no network named "resnet81"; did you mean resnet18/);
});
