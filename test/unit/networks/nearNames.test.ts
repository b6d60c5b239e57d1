import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearNames } from '../../../src/ml/networks/nearNames.ts';
import { namedNetwork, networkNames } from '../../../src/ml/networks/registry.ts';

const known = ['resnet18', 'resnet34', 'timm/vit_small_patch14_dinov2.lvd142m', 'mobilenet_v2', 'ConvNet1'];

test('a wrong name is answered with those that hold it, or else with those a few letters away', () => {
  assert.deepEqual(nearNames('vit_small_patch14_dinov2', known), ['timm/vit_small_patch14_dinov2.lvd142m']);
  assert.deepEqual(nearNames('dinov2', known), ['timm/vit_small_patch14_dinov2.lvd142m']);
  assert.deepEqual(nearNames('resnet_18', known), ['resnet18']);
  assert.deepEqual(nearNames('mobilenetv2', known), ['mobilenet_v2']);
  assert.deepEqual(nearNames('something else', known), []);
});

test('a name in another spelling is answered with the network that is meant, first', () => {
  const meant = {
    'resnet-50': 'resnet50',
    'ResNet 18': 'resnet18',
    resnet50d: 'resnet50',
    'timm/resnet50.a1_in1k': 'resnet50',
    resnext50: 'resnext50_32x4d',
    wideresnet50: 'wide_resnet50_2',
    wrn50: 'wide_resnet50_2',
    'dense net 169': 'densenet169',
    'effnet b0': 'efficientnet_b0',
    effv2s: 'efficientnet_v2_s',
    vit_b16: 'vit_b_16',
    'vit-large': 'vit_l_16',
    mobilenetv3: 'mobilenet_v3_small',
    mobilenetv3large: 'mobilenet_v3_large',
    mobilenetv4: 'timm/mobilenetv4_conv_small.e2400_r224_in1k',
    'convnext-tiny': 'convnext_tiny',
    convnextv2: 'timm/convnextv2_atto.fcmae_ft_in1k',
    'swin-tiny': 'swin_t',
    swinv2: 'swin_v2_t',
    regnety400mf: 'regnet_y_400mf',
    dinov2: 'timm/vit_base_patch14_dinov2.lvd142m',
    'dinov2-small': 'timm/vit_small_patch14_dinov2.lvd142m',
    dinov3: 'timm/convnext_tiny.dinov3_lvd1689m',
    'vgg16-bn': 'vgg16_bn',
    inceptionv4: 'inception_v3',
  };
  const offered = Object.fromEntries(Object.keys(meant).map((wrong) => [wrong, nearNames(wrong, networkNames)[0]]));
  assert.deepEqual(offered, meant);
  for (const none of ['xyz', 'something else', 'nfnet', 'deit'])
    assert.deepEqual(nearNames(none, networkNames), [], none);
});

test('the registry says what may have been meant', () => {
  assert.throws(() => namedNetwork('resnet81'), /no network named "resnet81"; did you mean resnet18/);
});
