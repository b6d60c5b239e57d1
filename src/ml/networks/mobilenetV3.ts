import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { hardSigmoid } from '../operators/activation/activations.ts';
import { hardSwish } from '../operators/activation/hardSwish.ts';
import { relu } from '../operators/activation/relu.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { linear } from '../operators/matmul/linear.ts';
import { ownDropout } from '../operators/elementwise/dropout.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { type Family, variantsOf } from './family.ts';
import { type Initialisation, kaimingConvolutions, weightShapeOf, zeros } from './initialise.ts';
import { convNormActivation } from './layers/convNormActivation.ts';
import { nearMultiple } from './layers/nearMultiple.ts';
import { squeezeExcite } from './layers/squeezeExcite.ts';
import { torchFile, v1, v2, type WeightSet } from './weightSets.ts';

/** Kernel, inner width, channels, stride; whether channels are weighed by squeeze-and-excite, and the activation. */
type Block = readonly [
  kernel: number,
  inner: number,
  channels: number,
  stride: number,
  squeezes: boolean,
  activation: 'relu' | 'hardSwish',
];

/** What sets the two MobileNetV3 apart. */
interface MobilenetV3 {
  readonly blocks: readonly Block[];
  /** Features of the Linear before the last one. */
  readonly features: number;
  readonly weights: readonly WeightSet[];
}

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. Blocks: tables 1 and 2 of the paper. */
const mobilenets: Readonly<Record<string, MobilenetV3>> = {
  mobilenet_v3_small: {
    blocks: [
      [3, 16, 16, 2, true, 'relu'],
      [3, 72, 24, 2, false, 'relu'],
      [3, 88, 24, 1, false, 'relu'],
      [5, 96, 40, 2, true, 'hardSwish'],
      [5, 240, 40, 1, true, 'hardSwish'],
      [5, 240, 40, 1, true, 'hardSwish'],
      [5, 120, 48, 1, true, 'hardSwish'],
      [5, 144, 48, 1, true, 'hardSwish'],
      [5, 288, 96, 2, true, 'hardSwish'],
      [5, 576, 96, 1, true, 'hardSwish'],
      [5, 576, 96, 1, true, 'hardSwish'],
    ],
    features: 1024,
    weights: [v1(67.668, 9.829, torchFile('mobilenet_v3_small', '047dcff4'))],
  },
  mobilenet_v3_large: {
    blocks: [
      [3, 16, 16, 1, false, 'relu'],
      [3, 64, 24, 2, false, 'relu'],
      [3, 72, 24, 1, false, 'relu'],
      [5, 72, 40, 2, true, 'relu'],
      [5, 120, 40, 1, true, 'relu'],
      [5, 120, 40, 1, true, 'relu'],
      [3, 240, 80, 2, false, 'hardSwish'],
      [3, 200, 80, 1, false, 'hardSwish'],
      [3, 184, 80, 1, false, 'hardSwish'],
      [3, 184, 80, 1, false, 'hardSwish'],
      [3, 480, 112, 1, true, 'hardSwish'],
      [3, 672, 112, 1, true, 'hardSwish'],
      [5, 672, 160, 2, true, 'hardSwish'],
      [5, 960, 160, 1, true, 'hardSwish'],
      [5, 960, 160, 1, true, 'hardSwish'],
    ],
    features: 1280,
    weights: [
      v1(74.042, 21.114, torchFile('mobilenet_v3_large', '8738ca79')),
      v2(75.274, 21.107, torchFile('mobilenet_v3_large', '5c1a4163')),
    ],
  },
};

const stem = 16;
const norm = { epsilon: 1e-3, momentum: 0.01 };
const activations = { relu, hardSwish };

/** 1x1 to the inner width if that is another, depthwise, squeeze-and-excite, 1x1 without an activation; a shortcut. */
function block(builder: GraphBuilder, name: string, x: string, options: Block): string {
  const [kernel, inner, channels, stride, squeezes, kind] = options;
  const [, inputs] = imageShape(builder, x);
  const activation = activations[kind];
  const layers = `${name}.block`;
  let y = x;
  let index = 0;
  if (inner !== inputs) {
    y = convNormActivation(builder, `${layers}.${index++}`, y, { channels: inner, kernel: 1, norm, activation });
  }
  const depthwise = { channels: inner, kernel, stride, groups: inner, norm, activation };
  y = convNormActivation(builder, `${layers}.${index++}`, y, depthwise);
  if (squeezes) {
    const squeezed = nearMultiple(Math.floor(inner / 4));
    y = squeezeExcite(builder, `${layers}.${index++}`, y, { squeezed, gate: hardSigmoid });
  }
  y = convNormActivation(builder, `${layers}.${index}`, y, { channels, kernel: 1, norm });
  return stride === 1 && inputs === channels ? add(builder, y, x) : y;
}

/** Images `[N, 3, H, W]` -> features `[N, F]`, those that the last Linear classifies, behind a dropout. */
function build(builder: GraphBuilder, { blocks, features }: MobilenetV3, images: string): string {
  const first = { channels: stem, kernel: 3, stride: 2, norm, activation: hardSwish };
  let x = convNormActivation(builder, 'features.0', images, first);
  for (const [index, options] of blocks.entries()) x = block(builder, `features.${index + 1}`, x, options);
  const last = { channels: 6 * imageShape(builder, x)[1], kernel: 1, norm, activation: hardSwish };
  x = convNormActivation(builder, `features.${blocks.length + 1}`, x, last);
  x = hardSwish(builder, linear(builder, 'classifier.0', globalAveragePool(builder, x), features));
  return ownDropout(builder, 'classifier.2', x, 0.2);
}

/** Convolutions by kaiming_normal_ over fan_out, all biases 0. */
const initialise: Initialisation = (name, shapes) => {
  const ofLinear = /^classifier\.[03]\.(weight|bias)$/u.exec(name)?.[1];
  if (ofLinear !== undefined) return ofLinear === 'bias' ? zeros : { kind: 'normal', std: 0.01 };
  if (name.endsWith('.bias') && weightShapeOf(name, shapes).length === 4) return zeros;
  return kaimingConvolutions(name, shapes);
};

/** MobileNetV3 (Howard et al. 2019, https://arxiv.org/abs/1905.02244) as torchvision builds it. */
export const mobilenetV3: Family = {
  title: 'MobileNetV3',
  variants: variantsOf(mobilenets, (name, row) => ({
    title: name.replace('mobilenet_v3_', 'MobileNetV3 '),
    features: row.features,
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  classifier: 'classifier.3',
  initialise,
  licence: 'BSD-3-Clause',
};
