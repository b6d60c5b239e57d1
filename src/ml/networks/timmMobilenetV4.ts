import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import type { TimmConfig } from '../../protocol/timmConfig.ts';
import { relu } from '../operators/activation/relu.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { reshape } from '../operators/movement/reshape.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import type { Family } from './family.ts';
import { asTensorflow } from './initialise.ts';
import { type ConvNormActivationOptions, namedConvNormActivation } from './layers/convNormActivation.ts';
import { nearMultiple } from './layers/nearMultiple.ts';
import { refuseArguments, timmConfig, type TimmNetwork, type TimmRow, timmVariants } from './timm.ts';
import { supportedPool } from './timmArguments.ts';

/** A convolution with batch norm and ReLU. */
interface Plain {
  readonly kind: 'plain';
  readonly kernel: number;
  readonly stride: number;
  readonly channels: number;
}

/** A convolution to the inner width, then 1x1 without an activation: the paper's fused block. */
interface Fused {
  readonly kind: 'fused';
  readonly kernel: number;
  readonly stride: number;
  readonly expansion: number;
  readonly channels: number;
}

/** The paper's universal inverted bottleneck: depthwise if `start`, 1x1 to the inner width, depthwise if `middle`, 1x1. */
interface Universal {
  readonly kind: 'universal';
  /** Kernels; 0 for none. */
  readonly start: number;
  readonly middle: number;
  readonly stride: number;
  readonly expansion: number;
  readonly channels: number;
}

type Block = Plain | Fused | Universal;

function plain(kernel: number, stride: number, channels: number): Plain {
  return { kind: 'plain', kernel, stride, channels };
}

/** Universal blocks of one number of channels: kernels and expansion of each; the first one may halve the map. */
function universal(
  channels: number,
  stride: number,
  ...blocks: readonly (readonly [start: number, middle: number, expansion: number])[]
): readonly Universal[] {
  return blocks.map(([start, middle, expansion], index) => {
    return { kind: 'universal', start, middle, stride: index === 0 ? stride : 1, expansion, channels };
  });
}

const last = [plain(1, 1, 960)];

/** Stages by the architecture's name: tables 11 and 12 of the paper. */
const architectures: Readonly<Record<string, readonly (readonly Block[])[]>> = {
  mobilenetv4_conv_small: [
    [plain(3, 2, 32), plain(1, 1, 32)],
    [plain(3, 2, 96), plain(1, 1, 64)],
    universal(96, 2, [5, 5, 3], [0, 3, 2], [0, 3, 2], [0, 3, 2], [0, 3, 2], [3, 0, 4]),
    universal(128, 2, [3, 3, 6], [5, 5, 4], [0, 5, 4], [0, 5, 3], [0, 3, 4], [0, 3, 4]),
    last,
  ],
  mobilenetv4_conv_medium: [
    [{ kind: 'fused', kernel: 3, stride: 2, expansion: 4, channels: 48 }],
    universal(80, 2, [3, 5, 4], [3, 3, 2]),
    universal(160, 2, [3, 5, 6], [3, 3, 4], [3, 3, 4], [3, 5, 4], [3, 3, 4], [3, 0, 4], [0, 0, 2], [3, 0, 4]),
    universal(
      256,
      2,
      ...([
        [5, 5, 6],
        [5, 5, 4],
        [3, 5, 4],
        [3, 5, 4],
        [0, 0, 4],
        [3, 0, 4],
      ] as const),
      ...([
        [3, 5, 2],
        [5, 5, 4],
        [0, 0, 4],
        [0, 0, 4],
        [5, 0, 2],
      ] as const),
    ),
    last,
  ],
};

const stem = 32;
const features = 1280;

type Layer = Omit<ConvNormActivationOptions, 'norm'>;

function branch(builder: GraphBuilder, name: string, x: string, block: Block): string {
  const [, inputs] = imageShape(builder, x);
  const { channels, stride } = block;
  if (block.kind === 'plain') {
    const { kernel } = block;
    const options = { channels, kernel, stride, activation: relu };
    return namedConvNormActivation(builder, [`${name}.conv`, `${name}.bn1`], x, options);
  }
  const inner = nearMultiple(inputs * block.expansion);
  if (block.kind === 'fused') {
    const wide = { channels: inner, kernel: block.kernel, stride, activation: relu };
    const y = namedConvNormActivation(builder, [`${name}.conv_exp`, `${name}.bn1`], x, wide);
    return namedConvNormActivation(builder, [`${name}.conv_pwl`, `${name}.bn2`], y, { channels, kernel: 1 });
  }
  const layer = (part: string, y: string, options: Layer) =>
    namedConvNormActivation(builder, [`${name}.${part}.conv`, `${name}.${part}.bn`], y, options);
  const { start, middle } = block;
  let y = x;
  if (start > 0) {
    const early = { channels: inputs, kernel: start, stride: middle > 0 ? 1 : stride, groups: inputs };
    y = layer('dw_start', y, early);
  }
  y = layer('pw_exp', y, { channels: inner, kernel: 1, activation: relu });
  if (middle > 0) {
    y = layer('dw_mid', y, { channels: inner, kernel: middle, stride, groups: inner, activation: relu });
  }
  return layer('pw_proj', y, { channels, kernel: 1 });
}

/** A block, added to what came in if both fit and it is not a plain convolution. */
function residual(builder: GraphBuilder, name: string, x: string, block: Block): string {
  const y = branch(builder, name, x, block);
  const fits = block.stride === 1 && imageShape(builder, x)[1] === block.channels;
  return fits && block.kind !== 'plain' ? add(builder, y, x) : y;
}

/** Images `[N, 3, H, W]` -> features `[N, 1280]`: the mean over the last map, a 1x1 convolution, batch norm and ReLU. */
function build(builder: GraphBuilder, stages: readonly (readonly Block[])[], images: string): string {
  const first = { channels: stem, kernel: 3, stride: 2, activation: relu };
  let x = namedConvNormActivation(builder, ['conv_stem', 'bn1'], images, first);
  for (const [stage, blocks] of stages.entries()) {
    for (const [index, block] of blocks.entries()) x = residual(builder, `blocks.${stage}.${index}`, x, block);
  }
  const [n, channels] = imageShape(builder, x);
  const mean = reshape(builder, globalAveragePool(builder, x), [n, channels, 1, 1], 'image');
  const head = { channels: features, kernel: 1, activation: relu };
  x = namedConvNormActivation(builder, ['conv_head', 'norm_head'], mean, head);
  return reshape(builder, x, [n, features]);
}

const classifier = 'classifier';

function fromTimm(config: TimmConfig): TimmNetwork | undefined {
  const { architecture } = config;
  const stages = Object.hasOwn(architectures, architecture) ? architectures[architecture] : undefined;
  if (!stages) return undefined;
  refuseArguments(config);
  supportedPool(config, ['avg']);
  const title = architecture.replace('mobilenetv4_conv_', 'MobileNetV4 conv ');
  return { title, features, build: (builder, images) => build(builder, stages, images) };
}

const small = { features, pool: 'avg' };
const medium = { features, pool: 'avg', crop: 0.95 };

/** Sizes and licences: the networks' pages on the hub. */
const rows: Readonly<Record<`timm/${string}`, TimmRow>> = {
  'timm/mobilenetv4_conv_small.e2400_r224_in1k': {
    config: timmConfig('mobilenetv4_conv_small', small),
    megabytes: 14.518,
    pin: {
      commit: '331fb803779522b685cf942e15f914fb6741c1eb',
      sha256: '7a7102ec18f62bbfb555b6fe829bbb5af749516b84174926c29ffdfdfc03aec4',
      bytes: 15_223_016,
    },
  },
  'timm/mobilenetv4_conv_medium.e500_r224_in1k': {
    config: timmConfig('mobilenetv4_conv_medium', medium),
    megabytes: 37.364,
  },
  'timm/mobilenetv4_conv_medium.e500_r256_in1k': {
    config: timmConfig('mobilenetv4_conv_medium', { ...medium, size: 256 }),
    top1: 79.928,
    megabytes: 37.364,
  },
};

/** MobileNetV4 of convolutions alone (Qin et al. 2024, https://arxiv.org/abs/2404.10518) as timm builds it. */
export const timmMobilenetV4: Family = {
  title: 'MobileNetV4',
  variants: timmVariants(rows, fromTimm),
  fromTimm,
  classifier,
  initialise: asTensorflow(classifier),
};
