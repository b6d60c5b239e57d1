import process from 'node:process';
import { test } from 'node:test';
import { tensorflowEngine } from '../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import {
  compareDoubleStep,
  compareFloatStep,
  compareLogits,
  compareParameters,
  float32Tells,
} from './networkParity.ts';
import { convolutionalNetworks } from './torchvisionFigures.ts';

/** Networks with more parameters are compared where FIVECROP_ALL_NETWORKS is set. */
const mostParameters = 10_000_000;
/** Steps of larger ones are taken there too: in float64 one of VGG takes a minute and gigabytes. */
const mostTrained = 70_000_000;
const always = new Set(['alexnet', 'vgg11_bn', 'resnext50_32x4d', 'inception_v3', 'efficientnet_v2_s']);
/** Whose step in float64 is taken there too: their layers are those of smaller networks. */
const longInDoubles = new Set(['resnext50_32x4d', 'efficientnet_v2_s', 'regnet_x_400mf', 'alexnet']);
/** How far torch's own float32 may be from float64 for ours to be compared with it. */
const tellingDistance = 0.01;
/** One of each family, which plain JavaScript computes in seconds; those with more parameters in a minute. */
const inJavaScript = new Set([
  ...['mobilenet_v3_small', 'timm/mobilenetv4_conv_small.e2400_r224_in1k', 'efficientnet_b1', 'regnet_y_400mf'],
  ...['shufflenet_v2_x0_5', 'mnasnet0_5', 'googlenet', 'inception_v3', 'resnext50_32x4d', 'vgg11_bn', 'alexnet'],
]);
const all = process.env['FIVECROP_ALL_NETWORKS'] !== undefined;
const why = 'FIVECROP_ALL_NETWORKS=1 compares it too';

for (const [name, { eval: evaluated, train }] of Object.entries(convolutionalNetworks)) {
  test(`${name} has the parameters and state dict of torch's, in its order`, () => {
    compareParameters(name, evaluated);
  });

  const isLarge = evaluated.parameters > mostParameters;
  test(`${name} gives torch's logits`, { skip: !all && isLarge && !always.has(name) && why }, async (t) => {
    t.diagnostic(`off by ${(await compareLogits(name, evaluated)).toExponential(1)} deviations`);
  });

  if (inJavaScript.has(name)) {
    test(`${name} gives torch's logits in TensorFlow.js`, { skip: !all && isLarge && why }, async (t) => {
      t.diagnostic(`off by ${(await compareLogits(name, evaluated, tensorflowEngine)).toExponential(1)} deviations`);
    });
  }

  if (!train || (evaluated.parameters > mostTrained && !all)) continue;

  const isLong = longInDoubles.has(name) || float32Tells(train);
  test(
    `the first step of ${name} in float64 has torch's loss, gradients and running statistics`,
    { skip: !all && isLong && why },
    () => compareDoubleStep(name, train),
  );

  // Many gradients jump where a value is near the kink of a ReLU: torch's float32 is off by up to a third then, and tells nothing.
  if (train.float32_gradients > tellingDistance) continue;

  test(`the first step of ${name} in float32 is as near to them as torch's own float32`, () =>
    compareFloatStep(name, train));
}
