import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { relu6 } from '../operators/activation/activations.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { batchNorm2d } from '../operators/norm/batchNorm2d.ts';
import { ownDropout } from '../operators/elementwise/dropout.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import type { Family } from './family.ts';
import { type Initialisation, kaimingConvolutions, zeros } from './initialise.ts';
import { convNormActivation } from './layers/convNormActivation.ts';
import { torchFile, v1, v2 } from './weightSets.ts';

/** Blocks of one stage: how much wider they are inside, their channels, how many there are, the stride of the first. */
type Stage = readonly [expansion: number, channels: number, blocks: number, stride: number];

const stages: readonly Stage[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];
const stem = 32;
const features = 1280;

interface Block {
  readonly expansion: number;
  readonly channels: number;
  readonly stride: number;
}

/** 1x1 to the inner width if there is one, depthwise 3x3, 1x1 without an activation; added to what came in if both fit. */
function invertedResidual(
  builder: GraphBuilder,
  name: string,
  x: string,
  { expansion, channels, stride }: Block,
): string {
  const [, inputs] = imageShape(builder, x);
  const inner = inputs * expansion;
  const layers = `${name}.conv`;
  let y = x;
  let index = 0;
  if (expansion > 1) {
    y = convNormActivation(builder, `${layers}.${index++}`, y, { channels: inner, kernel: 1, activation: relu6 });
  }
  const depthwise = { channels: inner, kernel: 3, stride, groups: inner, activation: relu6 };
  y = convNormActivation(builder, `${layers}.${index++}`, y, depthwise);
  y = conv2d(builder, `${layers}.${index++}`, y, { channels, kernel: 1, bias: false });
  y = batchNorm2d(builder, `${layers}.${index}`, y);
  return stride === 1 && inputs === channels ? add(builder, x, y) : y;
}

/** Images `[N, 3, H, W]` -> features `[N, 1280]`, the mean over the last map, behind a dropout. */
function build(builder: GraphBuilder, images: string): string {
  const wide = { channels: stem, kernel: 3, stride: 2, activation: relu6 };
  let x = convNormActivation(builder, 'features.0', images, wide);
  let index = 1;
  for (const [expansion, channels, blocks, first] of stages) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? first : 1;
      x = invertedResidual(builder, `features.${index++}`, x, { expansion, channels, stride });
    }
  }
  x = convNormActivation(builder, `features.${index}`, x, { channels: features, kernel: 1, activation: relu6 });
  return ownDropout(builder, 'classifier.0', globalAveragePool(builder, x), 0.2);
}

/** The Linear of the network's own classifier. */
const ownClassifier = 'classifier.1';

/** Convolutions by kaiming_normal_ over fan_out. */
const initialise: Initialisation = (name, shapes) => {
  if (name === `${ownClassifier}.weight`) return { kind: 'normal', std: 0.01 };
  if (name === `${ownClassifier}.bias`) return zeros;
  return kaimingConvolutions(name, shapes);
};

/** MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381) as torchvision builds it. */
export const mobilenetV2: Family = {
  title: 'MobileNetV2',
  variants: {
    mobilenet_v2: {
      title: 'MobileNetV2',
      features,
      build,
      /** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
      weights: [
        v1(71.878, 13.555, torchFile('mobilenet_v2', 'b0353104')),
        v2(72.154, 13.598, torchFile('mobilenet_v2', '7ebf99e0')),
      ],
    },
  },
  classifier: 'classifier',
  ownClassifier,
  initialise,
  licence: 'BSD-3-Clause',
};
