import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { silu } from '../operators/activation/silu.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import type { BatchNormOptions } from '../operators/norm/batchNorm2d.ts';
import { ownDropout } from '../operators/elementwise/dropout.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { type Family, variantsOf } from './family.ts';
import { type Initialisation, kaimingConvolutions, weightShapeOf, zeros } from './initialise.ts';
import { convNormActivation } from './layers/convNormActivation.ts';
import { nearMultiple } from './layers/nearMultiple.ts';
import { squeezeExcite } from './layers/squeezeExcite.ts';
import { bicubic, imagenetPixels, preparedBy, torchFile, v1, v2, type WeightSet } from './weightSets.ts';

/**
 * Blocks of one stage: MBConv, or one whose first two convolutions are fused into one; how much wider they are inside, their
 * kernel, the stride of the first, their channels, how many.
 */
type Stage = readonly [
  kind: 'separate' | 'fused',
  expansion: number,
  kernel: number,
  stride: number,
  channels: number,
  blocks: number,
];

/** What sets one EfficientNet apart from another. */
interface Efficientnet {
  /** Channels of the first convolution. */
  readonly stem: number;
  readonly stages: readonly Stage[];
  /** Channels of the last convolution. */
  readonly features: number;
  readonly norm?: BatchNormOptions;
  /** Rate of the dropout ahead of the classifier. */
  readonly dropout: number;
  readonly weights: readonly WeightSet[];
}

/** EfficientNet-B0, which the others of B are wider and deeper than. */
const base: readonly Stage[] = [
  ['separate', 1, 3, 1, 16, 1],
  ['separate', 6, 3, 2, 24, 2],
  ['separate', 6, 5, 2, 40, 2],
  ['separate', 6, 3, 2, 80, 3],
  ['separate', 6, 5, 1, 112, 3],
  ['separate', 6, 5, 2, 192, 4],
  ['separate', 6, 3, 1, 320, 1],
];
/** Channels behind the last stage for each of its own. */
const lastExpansion = 4;

/** B0 times as wide and as deep. */
function scaled(width: number, depth: number, dropout: number, ...weights: readonly WeightSet[]): Efficientnet {
  const stages = base.map(([kind, expansion, kernel, stride, channels, blocks]): Stage => {
    return [kind, expansion, kernel, stride, nearMultiple(channels * width), Math.ceil(blocks * depth)];
  });
  return {
    stem: nearMultiple(32 * width),
    stages,
    features: lastExpansion * nearMultiple(320 * width),
    dropout,
    weights,
  };
}

/** B5 to B7, whose weights come from elsewhere, as their file says. */
const lukemelas = { epsilon: 1e-3, momentum: 0.01 };
const second = { features: 1280, norm: { epsilon: 1e-3 } };

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const efficientnets: Readonly<Record<string, Efficientnet>> = {
  efficientnet_b0: scaled(
    1,
    1,
    0.2,
    bicubic([256, 224], v1(77.692, 20.451, torchFile('efficientnet_b0_rwightman', '7f5810bc'))),
  ),
  efficientnet_b1: scaled(
    1,
    1.1,
    0.2,
    bicubic([256, 240], v1(78.642, 30.134, torchFile('efficientnet_b1_rwightman', 'bac287d4'))),
    preparedBy({ resize: 255, crop: 240 }, v2(79.838, 30.136, torchFile('efficientnet_b1', 'c27df63c'))),
  ),
  efficientnet_b2: scaled(
    1.1,
    1.2,
    0.3,
    bicubic([288, 288], v1(80.608, 35.174, torchFile('efficientnet_b2_rwightman', 'c35c1473'))),
  ),
  efficientnet_b3: scaled(
    1.2,
    1.4,
    0.3,
    bicubic([320, 300], v1(82.008, 47.184, torchFile('efficientnet_b3_rwightman', 'b3899882'))),
  ),
  efficientnet_b4: scaled(
    1.4,
    1.8,
    0.4,
    bicubic([384, 380], v1(83.384, 74.489, torchFile('efficientnet_b4_rwightman', '23ab8bcd'))),
  ),
  efficientnet_b5: {
    ...scaled(
      1.6,
      2.2,
      0.4,
      bicubic([456, 456], v1(83.444, 116.864, torchFile('efficientnet_b5_lukemelas', '1a07897c'))),
    ),
    norm: lukemelas,
  },
  efficientnet_b6: {
    ...scaled(
      1.8,
      2.6,
      0.5,
      bicubic([528, 528], v1(84.008, 165.362, torchFile('efficientnet_b6_lukemelas', '24a108a5'))),
    ),
    norm: lukemelas,
  },
  efficientnet_b7: {
    ...scaled(
      2,
      3.1,
      0.5,
      bicubic([600, 600], v1(84.122, 254.675, torchFile('efficientnet_b7_lukemelas', 'c5b4e57e'))),
    ),
    norm: lukemelas,
  },
  efficientnet_v2_s: {
    stem: 24,
    dropout: 0.2,
    stages: [
      ['fused', 1, 3, 1, 24, 2],
      ['fused', 4, 3, 2, 48, 4],
      ['fused', 4, 3, 2, 64, 4],
      ['separate', 4, 3, 2, 128, 6],
      ['separate', 6, 3, 1, 160, 9],
      ['separate', 6, 3, 2, 256, 15],
    ],
    ...second,
    weights: [preparedBy({ resize: 384, crop: 384 }, v1(84.228, 82.704, torchFile('efficientnet_v2_s', 'dd5fe13b')))],
  },
  efficientnet_v2_m: {
    stem: 24,
    dropout: 0.3,
    stages: [
      ['fused', 1, 3, 1, 24, 3],
      ['fused', 4, 3, 2, 48, 5],
      ['fused', 4, 3, 2, 80, 5],
      ['separate', 4, 3, 2, 160, 7],
      ['separate', 6, 3, 1, 176, 14],
      ['separate', 6, 3, 2, 304, 18],
      ['separate', 6, 3, 1, 512, 5],
    ],
    ...second,
    weights: [preparedBy({ resize: 480, crop: 480 }, v1(85.112, 208.01, torchFile('efficientnet_v2_m', 'dc08266a')))],
  },
  efficientnet_v2_l: {
    stem: 32,
    dropout: 0.4,
    stages: [
      ['fused', 1, 3, 1, 32, 4],
      ['fused', 4, 3, 2, 64, 7],
      ['fused', 4, 3, 2, 96, 7],
      ['separate', 4, 3, 2, 192, 10],
      ['separate', 6, 3, 1, 224, 19],
      ['separate', 6, 3, 2, 384, 25],
      ['separate', 6, 3, 1, 640, 7],
    ],
    ...second,
    weights: [
      {
        ...v1(85.808, 454.573, torchFile('efficientnet_v2_l', '59c71312')),
        preprocessing: {
          ...imagenetPixels({ resize: 480, crop: 480, interpolation: 'bicubic' }),
          ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
        },
      },
    ],
  },
};

interface Block {
  readonly kind: Stage[0];
  readonly expansion: number;
  readonly kernel: number;
  readonly stride: number;
  readonly channels: number;
  readonly norm: BatchNormOptions | undefined;
}

/** MBConv: 1x1 to the inner width if there is one, depthwise, squeeze-and-excite, 1x1 without an activation. */
function separate(builder: GraphBuilder, layers: string, x: string, options: Block): string {
  const { expansion, kernel, stride, channels, norm } = options;
  const [, inputs] = imageShape(builder, x);
  const inner = nearMultiple(inputs * expansion);
  let y = x;
  let index = 0;
  if (inner !== inputs) {
    y = convNormActivation(builder, `${layers}.${index++}`, y, { channels: inner, kernel: 1, norm, activation: silu });
  }
  const depthwise = { channels: inner, kernel, stride, groups: inner, norm, activation: silu };
  y = convNormActivation(builder, `${layers}.${index++}`, y, depthwise);
  const squeezed = Math.max(1, Math.floor(inputs / 4));
  y = squeezeExcite(builder, `${layers}.${index++}`, y, { squeezed, activation: silu });
  return convNormActivation(builder, `${layers}.${index}`, y, { channels, kernel: 1, norm });
}

/** Fused MBConv: a convolution to the inner width and 1x1 without an activation, or one convolution if there is no such width. */
function fused(builder: GraphBuilder, layers: string, x: string, options: Block): string {
  const { expansion, kernel, stride, channels, norm } = options;
  const [, inputs] = imageShape(builder, x);
  const inner = nearMultiple(inputs * expansion);
  const first = { channels: inner === inputs ? channels : inner, kernel, stride, norm, activation: silu };
  const y = convNormActivation(builder, `${layers}.0`, x, first);
  return inner === inputs ? y : convNormActivation(builder, `${layers}.1`, y, { channels, kernel: 1, norm });
}

const blocksOf = { separate, fused };

/** A block, added to what came in if both fit. */
function block(builder: GraphBuilder, name: string, x: string, options: Block): string {
  const y = blocksOf[options.kind](builder, `${name}.block`, x, options);
  return options.stride === 1 && imageShape(builder, x)[1] === options.channels ? add(builder, x, y) : y;
}

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map, behind a dropout. */
function build(builder: GraphBuilder, { stem, stages, features, norm, dropout }: Efficientnet, images: string): string {
  const first = { channels: stem, kernel: 3, stride: 2, norm, activation: silu };
  let x = convNormActivation(builder, 'features.0', images, first);
  for (const [stage, [kind, expansion, kernel, firstStride, channels, blocks]] of stages.entries()) {
    for (let index = 0; index < blocks; index++) {
      const stride = index === 0 ? firstStride : 1;
      const options = { kind, expansion, kernel, stride, channels, norm };
      x = block(builder, `features.${stage + 1}.${index}`, x, options);
    }
  }
  const last = { channels: features, kernel: 1, norm, activation: silu };
  x = convNormActivation(builder, `features.${stages.length + 1}`, x, last);
  return ownDropout(builder, 'classifier.0', globalAveragePool(builder, x), dropout);
}

/** The Linear of the network's own classifier. */
const ownClassifier = 'classifier.1';

/** Convolutions by kaiming_normal_ over fan_out, their biases 0. */
const initialise: Initialisation = (name, shapes) => {
  if (name === `${ownClassifier}.bias`) return zeros;
  if (name === `${ownClassifier}.weight`) {
    return { kind: 'uniform', bound: 1 / Math.sqrt(weightShapeOf(name, shapes)[0] ?? 1) };
  }
  if (name.endsWith('.bias') && weightShapeOf(name, shapes).length === 4) return zeros;
  return kaimingConvolutions(name, shapes);
};

/** EfficientNet (Tan and Le 2019, https://arxiv.org/abs/1905.11946) and V2 (2021, https://arxiv.org/abs/2104.00298) as torchvision builds them. */
export const efficientnet: Family = {
  title: 'EfficientNet',
  variants: variantsOf(efficientnets, (name, row) => ({
    title: name
      .replace('efficientnet_b', 'EfficientNet-B')
      .replace(/^efficientnet_v2_(.)$/u, (_, size: string) => `EfficientNetV2-${size.toUpperCase()}`),
    features: row.features,
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  classifier: 'classifier',
  ownClassifier,
  initialise,
  licence: 'BSD-3-Clause',
};
