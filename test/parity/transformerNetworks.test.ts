import process from 'node:process';
import { test } from 'node:test';
import { tensorflowEngine } from '../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import {
  compareDoubleStep,
  compareFirstLoss,
  compareFloatStep,
  compareLogits,
  compareParameters,
  compareWithOnnx,
  float32Tells,
} from './networkParity.ts';
import { transformerNetworks } from './torchvisionFigures.ts';

/** Networks whose logits are compared everywhere: the smallest of each family. The others are where FIVECROP_ALL_NETWORKS is set. */
const smallest = [
  'convnext_tiny',
  'swin_t',
  'swin_v2_t',
  'maxvit_t',
  'timm/vit_small_patch16_224.augreg_in21k_ft_in1k',
  'timm/vit_small_patch14_dinov2.lvd142m',
  'timm/vit_small_patch14_reg4_dinov2.lvd142m',
  'timm/vit_small_patch16_dinov3.lvd1689m',
  'timm/convnextv2_atto.fcmae_ft_in1k',
];
/** One of each kind. Plain JavaScript takes up to a minute for the logits that are compared with torch. */
const inJavaScript = new Set([
  ...['swin_t', 'swin_v2_t', 'maxvit_t', 'timm/vit_small_patch14_dinov2.lvd142m'],
  ...['timm/vit_small_patch16_dinov3.lvd1689m', 'timm/convnextv2_atto.fcmae_ft_in1k'],
]);
/** Those whose first loss it computes in seconds. */
const quickInJavaScript = new Set(['timm/vit_small_patch16_dinov3.lvd1689m', 'timm/convnextv2_atto.fcmae_ft_in1k']);
/** Whose step in float64 takes minutes and gigabytes: its layers are those of MobileNet and Swin. */
const longInDoubles = 'maxvit_t';
/** Whose first step is that of networks beside it: DINOv2's, with tokens that DINOv3 has too. */
const otherTokens = 'timm/vit_small_patch14_reg4_dinov2.lvd142m';
const all = process.env['FIVECROP_ALL_NETWORKS'] !== undefined;
const why = 'FIVECROP_ALL_NETWORKS=1 compares it too';

for (const [name, { eval: evaluated, train }] of Object.entries(transformerNetworks)) {
  test(`${name} has the parameters and state dict of torch's, in its order`, () => {
    compareParameters(name, evaluated);
  });

  test(`${name} gives torch's logits`, { skip: !all && !smallest.includes(name) && why }, async (t) => {
    t.diagnostic(`off by ${(await compareLogits(name, evaluated)).toExponential(1)} deviations`);
  });

  if (inJavaScript.has(name)) {
    test(`${name} gives torch's logits in TensorFlow.js`, { skip: !all && why }, async (t) => {
      t.diagnostic(`off by ${(await compareLogits(name, evaluated, tensorflowEngine)).toExponential(1)} deviations`);
    });
  }

  if (!train) continue;

  if (quickInJavaScript.has(name)) {
    test(`${name} begins with torch's loss in TensorFlow.js`, () => compareFirstLoss(name, train, tensorflowEngine));
  }

  test(
    `the first step of ${name} in float64 has torch's loss and gradients`,
    { skip: !all && (float32Tells(train) || name === longInDoubles) && why },
    () => compareDoubleStep(name, train),
  );

  test(
    `the first step of ${name} in float32 is as near to them as torch's own float32`,
    { skip: !all && name === otherTokens && why },
    () => compareFloatStep(name, train),
  );
}

test('swin_t gives the logits of ONNX Runtime in TensorFlow.js', () => compareWithOnnx('swin_t', 32, tensorflowEngine));
