import type { GraphBuilder } from '../graph/graph.ts';
import type { TimmConfig } from '../../protocol/timmConfig.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { layerNorm, layerNorm2d } from '../operators/norm/layerNorm.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import type { Family } from './family.ts';
import { type Initialisation, narrowNormal, zeros } from './initialise.ts';
import { convnextBlock } from './layers/convnextBlock.ts';
import { timmConfig, type TimmNetwork, type TimmRow, timmVariants } from './timm.ts';
import { supportedPool, withModelArguments } from './timmArguments.ts';

/** Arguments of timm's ConvNeXt, under its names. */
interface Convnext {
  readonly depths: readonly number[];
  readonly dims: readonly number[];
  /** Whether the Linears are stored as convolutions of 1x1. */
  readonly conv_mlp: boolean;
  /** The global response norm of ConvNeXt V2. */
  readonly use_grn: boolean;
  /** What the factors of the blocks' results begin with; there are none without it. */
  readonly ls_init_value: number | null;
}

const shallow = [3, 3, 9, 3];
const deep = [3, 3, 27, 3];
const few = [2, 2, 6, 2];

/** Blocks and channels of the four stages by size, and whether they are stored as convolutions. */
const sizes: Readonly<Record<string, Pick<Convnext, 'depths' | 'dims' | 'conv_mlp'>>> = {
  atto: { depths: few, dims: [40, 80, 160, 320], conv_mlp: true },
  femto: { depths: few, dims: [48, 96, 192, 384], conv_mlp: true },
  pico: { depths: few, dims: [64, 128, 256, 512], conv_mlp: true },
  nano: { depths: [2, 2, 8, 2], dims: [80, 160, 320, 640], conv_mlp: true },
  tiny: { depths: shallow, dims: [96, 192, 384, 768], conv_mlp: false },
  small: { depths: deep, dims: [96, 192, 384, 768], conv_mlp: false },
  base: { depths: deep, dims: [128, 256, 512, 1024], conv_mlp: false },
  large: { depths: deep, dims: [192, 384, 768, 1536], conv_mlp: false },
};

const nameForm = /^convnext(v2)?_([a-z]+)$/u;

function architectureOf(name: string): Convnext | undefined {
  const [, second, size = ''] = nameForm.exec(name) ?? [];
  const ofSize = Object.hasOwn(sizes, size) ? sizes[size] : undefined;
  return ofSize && { ...ofSize, use_grn: second !== undefined, ls_init_value: second === undefined ? 1e-6 : null };
}

const epsilon = 1e-6;

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map, normalised. */
function build(builder: GraphBuilder, options: Convnext, images: string): string {
  const { depths, dims, conv_mlp: asConvolutions } = options;
  let x = images;
  for (const [stage, channels] of dims.entries()) {
    if (stage === 0) {
      x = conv2d(builder, 'stem.0', x, { channels, kernel: 4, stride: 4 });
      x = layerNorm2d(builder, 'stem.1', x, epsilon);
    } else {
      const downsample = `stages.${stage}.downsample`;
      x = layerNorm2d(builder, `${downsample}.0`, x, epsilon);
      x = conv2d(builder, `${downsample}.1`, x, { channels, kernel: 2, stride: 2 });
    }
    for (let index = 0; index < (depths[stage] ?? 0); index++) {
      const block = `stages.${stage}.blocks.${index}`;
      const names = {
        depthwise: `${block}.conv_dw`,
        norm: `${block}.norm`,
        expand: `${block}.mlp.fc1`,
        shrink: `${block}.mlp.fc2`,
        ...(options.ls_init_value ? { scale: { name: `${block}.gamma`, shape: (size: number) => [size] } } : {}),
        ...(options.use_grn ? { responseNorm: `${block}.mlp.grn` } : {}),
      };
      x = convnextBlock(builder, x, { names, epsilon, asConvolutions });
    }
  }
  return layerNorm(builder, 'head.norm', globalAveragePool(builder, x), epsilon);
}

/** Convolutions and Linears normal with a deviation of 0.02, their biases and response norms 0. */
function initialisation(scale: number | null): Initialisation {
  return (name, shapes) => {
    if (name.endsWith('.gamma')) return { kind: 'constant', value: scale ?? 1 };
    if (name.includes('.mlp.grn.')) return zeros;
    const isOwn = /^(stem|stages)\./u.test(name) || name === `${classifier}.weight` || name === `${classifier}.bias`;
    return isOwn ? narrowNormal(name, shapes) : undefined;
  };
}

function fromTimm(config: TimmConfig): TimmNetwork | undefined {
  const known = architectureOf(config.architecture);
  if (!known) return undefined;
  const options = withModelArguments(known, config);
  supportedPool(config, ['avg']);
  return {
    title: titleOf(config.architecture),
    features: options.dims.at(-1) ?? 0,
    initialise: initialisation(options.ls_init_value),
    build: (builder, images) => build(builder, options, images),
  };
}

/** `convnextv2_atto` -> `ConvNeXtV2-Atto` */
function titleOf(architecture: string): string {
  const [, second, size = ''] = nameForm.exec(architecture) ?? [];
  return `ConvNeXt${second === undefined ? '' : 'V2'}-${size.charAt(0).toUpperCase()}${size.slice(1)}`;
}

function secondVersion(size: string, features: number) {
  return timmConfig(`convnextv2_${size}`, { features, licence: 'cc-by-nc-4.0', pool: 'avg' });
}

/** Sizes and licences: the networks' pages on the hub. Accuracy: timm's results, at the size and crop of the configuration. */
const rows: Readonly<Record<`timm/${string}`, TimmRow>> = {
  'timm/convnext_tiny.fb_in1k': {
    config: timmConfig('convnext_tiny', { features: 768, pool: 'avg' }),
    top1: 82.066,
    megabytes: 109.076,
    pin: {
      commit: 'b43a6303c9fcf176d2d707478a128c2c91e93528',
      sha256: '08b9dc9c3a3a29421de7996761e176501896d1ae7fc3085cf56a643772329276',
      bytes: 114_374_272,
    },
  },
  'timm/convnext_tiny.dinov3_lvd1689m': {
    config: timmConfig('convnext_tiny', {
      features: 768,
      classes: 0,
      crop: 1,
      licence: 'dinov3-license',
      pool: 'avg',
    }),
    megabytes: 106.142,
    pin: {
      commit: '39c7bb32f83c11bbb13cb23058f8852a4dac88ed',
      sha256: 'a7637753a2e85d709d1a5474e13382d39e7bc581a35868b477585c970f36847f',
      bytes: 111_298_008,
    },
  },
  'timm/convnextv2_atto.fcmae_ft_in1k': { config: secondVersion('atto', 320), top1: 76.644, megabytes: 14.159 },
  'timm/convnextv2_femto.fcmae_ft_in1k': { config: secondVersion('femto', 384), top1: 78.476, megabytes: 19.976 },
  'timm/convnextv2_pico.fcmae_ft_in1k': { config: secondVersion('pico', 512), top1: 80.304, megabytes: 34.598 },
  'timm/convnextv2_nano.fcmae_ft_in1k': { config: secondVersion('nano', 640), top1: 81.856, megabytes: 59.615 },
  'timm/convnextv2_tiny.fcmae_ft_in1k': { config: secondVersion('tiny', 768), top1: 82.948, megabytes: 109.254 },
};

const classifier = 'head.fc';

/** timm's ConvNeXt (Liu et al. 2022) and ConvNeXt V2 (Woo et al. 2023, https://arxiv.org/abs/2301.00808). */
export const timmConvnext: Family = {
  title: 'ConvNeXt of timm',
  variants: timmVariants(rows, fromTimm),
  fromTimm,
  classifier,
  initialise: initialisation(null),
};
