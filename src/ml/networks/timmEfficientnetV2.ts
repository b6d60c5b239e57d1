import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import type { TimmConfig } from '../../protocol/timmConfig.ts';
import { silu } from '../operators/activation/silu.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import type { Family } from './family.ts';
import { asTensorflow } from './initialise.ts';
import { namedConvNormActivation } from './layers/convNormActivation.ts';
import { samePadding } from './layers/samePadding.ts';
import { squeezeExcite } from './layers/squeezeExcite.ts';
import { refuseArguments, timmConfig, type TimmNetwork, type TimmRow, timmVariants } from './timm.ts';
import { supportedPool } from './timmArguments.ts';

/**
 * Blocks of one stage, all with kernels of 3x3: plain convolutions, the paper's Fused-MBConv or its MBConv; how much wider
 * they are inside, the stride of the first, their channels, how many.
 */
type Stage = readonly [
  kind: 'plain' | 'fused' | 'separate',
  expansion: number,
  stride: number,
  channels: number,
  blocks: number,
];

interface Architecture {
  readonly title: string;
  /** Channels of the first convolution. */
  readonly stem: number;
  readonly stages: readonly Stage[];
  /** Channels of the last convolution. */
  readonly features: number;
}

/** EfficientNetV2-B0, which the others of B are wider and deeper than. */
const base: readonly Stage[] = [
  ['plain', 1, 1, 16, 1],
  ['fused', 4, 2, 32, 2],
  ['fused', 4, 2, 48, 2],
  ['separate', 4, 2, 96, 3],
  ['separate', 6, 1, 112, 5],
  ['separate', 6, 2, 192, 8],
];

/** B0 times as wide and as deep; channels are the nearest multiple of 8, however much less that is. */
function scaled(number: number, width: number, depth: number): Architecture {
  const wide = (channels: number) => Math.floor((channels * width) / 8 + 0.5) * 8;
  const stages = base.map(([kind, expansion, stride, channels, blocks]): Stage => {
    return [kind, expansion, stride, wide(channels), Math.ceil(blocks * depth)];
  });
  return { title: `EfficientNetV2-B${number} (tf)`, stem: wide(32), stages, features: wide(1280) };
}

function sized(size: string, stem: number, stages: readonly Stage[]): Architecture {
  return { title: `EfficientNetV2-${size} (tf)`, stem, stages, features: 1280 };
}

const architectures: Readonly<Record<string, Architecture>> = {
  tf_efficientnetv2_b0: scaled(0, 1, 1),
  tf_efficientnetv2_b1: scaled(1, 1, 1.1),
  tf_efficientnetv2_b2: scaled(2, 1.1, 1.2),
  tf_efficientnetv2_b3: scaled(3, 1.2, 1.4),
  tf_efficientnetv2_s: sized('S', 24, [
    ['plain', 1, 1, 24, 2],
    ['fused', 4, 2, 48, 4],
    ['fused', 4, 2, 64, 4],
    ['separate', 4, 2, 128, 6],
    ['separate', 6, 1, 160, 9],
    ['separate', 6, 2, 256, 15],
  ]),
  tf_efficientnetv2_m: sized('M', 24, [
    ['plain', 1, 1, 24, 3],
    ['fused', 4, 2, 48, 5],
    ['fused', 4, 2, 80, 5],
    ['separate', 4, 2, 160, 7],
    ['separate', 6, 1, 176, 14],
    ['separate', 6, 2, 304, 18],
    ['separate', 6, 1, 512, 5],
  ]),
  tf_efficientnetv2_l: sized('L', 32, [
    ['plain', 1, 1, 32, 4],
    ['fused', 4, 2, 64, 7],
    ['fused', 4, 2, 96, 7],
    ['separate', 4, 2, 192, 10],
    ['separate', 6, 1, 224, 19],
    ['separate', 6, 2, 384, 25],
    ['separate', 6, 1, 640, 7],
  ]),
  tf_efficientnetv2_xl: sized('XL', 32, [
    ['plain', 1, 1, 32, 4],
    ['fused', 4, 2, 64, 8],
    ['fused', 4, 2, 96, 8],
    ['separate', 4, 2, 192, 16],
    ['separate', 6, 1, 256, 24],
    ['separate', 6, 2, 512, 32],
    ['separate', 6, 1, 640, 8],
  ]),
};

interface Layer {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly activation?: typeof silu;
}

/** A convolution with `same` padding, batch norm and an activation, by the names of the two modules. */
function layer(builder: GraphBuilder, names: readonly [string, string], image: string, options: Layer): string {
  const { x, padding } = samePadding(builder, image, options.kernel, options.stride ?? 1);
  return namedConvNormActivation(builder, names, x, { ...options, padding, norm: { epsilon: 1e-3 } });
}

interface Block {
  readonly expansion: number;
  readonly stride: number;
  readonly channels: number;
}

const branches: Readonly<Record<Stage[0], (builder: GraphBuilder, name: string, x: string, block: Block) => string>> = {
  plain(builder, name, x, { stride, channels }) {
    const options = { channels, kernel: 3, stride, activation: silu };
    return layer(builder, [`${name}.conv`, `${name}.bn1`], x, options);
  },
  fused(builder, name, x, { expansion, stride, channels }) {
    const wide = { channels: imageShape(builder, x)[1] * expansion, kernel: 3, stride, activation: silu };
    const y = layer(builder, [`${name}.conv_exp`, `${name}.bn1`], x, wide);
    return layer(builder, [`${name}.conv_pwl`, `${name}.bn2`], y, { channels, kernel: 1 });
  },
  separate(builder, name, x, { expansion, stride, channels }) {
    const [, inputs] = imageShape(builder, x);
    const inner = inputs * expansion;
    let y = layer(builder, [`${name}.conv_pw`, `${name}.bn1`], x, { channels: inner, kernel: 1, activation: silu });
    const depthwise = { channels: inner, kernel: 3, stride, groups: inner, activation: silu };
    y = layer(builder, [`${name}.conv_dw`, `${name}.bn2`], y, depthwise);
    const names = ['conv_reduce', 'conv_expand'] as const;
    y = squeezeExcite(builder, `${name}.se`, y, { squeezed: inputs / 4, activation: silu, names });
    return layer(builder, [`${name}.conv_pwl`, `${name}.bn3`], y, { channels, kernel: 1 });
  },
};

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map. */
function build(builder: GraphBuilder, { stem, stages, features }: Architecture, images: string): string {
  const first = { channels: stem, kernel: 3, stride: 2, activation: silu };
  let x = layer(builder, ['conv_stem', 'bn1'], images, first);
  for (const [stage, [kind, expansion, firstStride, channels, blocks]] of stages.entries()) {
    for (let index = 0; index < blocks; index++) {
      const stride = index === 0 ? firstStride : 1;
      const y = branches[kind](builder, `blocks.${stage}.${index}`, x, { expansion, stride, channels });
      // A block is added to what came in if both fit.
      x = stride === 1 && imageShape(builder, x)[1] === channels ? add(builder, y, x) : y;
    }
  }
  const last = layer(builder, ['conv_head', 'bn2'], x, { channels: features, kernel: 1, activation: silu });
  return globalAveragePool(builder, last);
}

function fromTimm(config: TimmConfig): TimmNetwork | undefined {
  const { architecture } = config;
  const known = Object.hasOwn(architectures, architecture) ? architectures[architecture] : undefined;
  if (!known) return undefined;
  refuseArguments(config);
  supportedPool(config, ['avg']);
  const { title, features } = known;
  return { title, features, build: (builder, images) => build(builder, known, images) };
}

const classifier = 'classifier';

function row(
  size: string,
  megabytes: number,
  facts: Omit<Parameters<typeof timmConfig>[1], 'features'> & { features?: number },
): TimmRow {
  return { config: timmConfig(`tf_efficientnetv2_${size}`, { features: 1280, pool: 'avg', ...facts }), megabytes };
}

/** The larger ones take pixels from -1 to 1. */
const half = { mean: 0.5, std: 0.5, crop: 1 };
const squashed = { ...half, size: 384, cropMode: 'squash' };

/** How images are prepared: timm's `default_cfgs`. Sizes: of the files that the state dicts make. */
const rows: Readonly<Record<`timm/${string}`, TimmRow>> = {
  'timm/tf_efficientnetv2_b0.in1k': row('b0', 27.504, { size: 192 }),
  'timm/tf_efficientnetv2_b1.in1k': row('b1', 31.373, { size: 192, crop: 0.882 }),
  'timm/tf_efficientnetv2_b2.in1k': row('b2', 38.875, { features: 1408, size: 208, crop: 0.89 }),
  'timm/tf_efficientnetv2_b3.in1k': row('b3', 55.246, { features: 1536, size: 240, crop: 0.904 }),
  'timm/tf_efficientnetv2_s.in21k_ft_in1k': row('s', 82.515, { ...half, size: 300 }),
  'timm/tf_efficientnetv2_s.in1k': row('s', 82.515, { ...half, size: 300 }),
  'timm/tf_efficientnetv2_m.in21k_ft_in1k': row('m', 207.741, squashed),
  'timm/tf_efficientnetv2_m.in1k': row('m', 207.741, squashed),
  'timm/tf_efficientnetv2_l.in21k_ft_in1k': row('l', 454.197, squashed),
  'timm/tf_efficientnetv2_l.in1k': row('l', 454.197, squashed),
};

/** EfficientNetV2 (Tan and Le 2021, https://arxiv.org/abs/2104.00298) as timm builds it for the weights of the paper's authors. */
export const timmEfficientnetV2: Family = {
  title: 'EfficientNetV2 of timm',
  variants: timmVariants(rows, fromTimm),
  fromTimm,
  classifier,
  initialise: asTensorflow(classifier),
};
