import { imageShape, parameter } from '../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../graph/graph.ts';
import type { TimmConfig } from '../../protocol/timmConfig.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { linear } from '../operators/matmul/linear.ts';
import { concat } from '../operators/movement/concat.ts';
import { reshape } from '../operators/movement/reshape.ts';
import { slice } from '../operators/movement/slice.ts';
import { transpose } from '../operators/movement/transpose.ts';
import { layerNorm } from '../operators/norm/layerNorm.ts';
import { mean } from '../operators/reduce/meanAndMax.ts';
import { expand } from '../operators/reduce/reduceSum.ts';
import type { Family } from './family.ts';
import { type Initialisation, narrowNormal } from './initialise.ts';
import { addScaled, askingTokens, mlp, selfAttention, timmMlpNames } from './layers/transformerBlock.ts';
import { timmConfig, type TimmNetwork, type TimmRow, timmVariants } from './timm.ts';
import { supportedPool, refuseUnevenHeads, withModelArguments } from './timmArguments.ts';

/** Arguments of timm's VisionTransformer, under its names. */
interface VisionTransformer {
  readonly patch_size: number;
  readonly embed_dim: number;
  readonly depth: number;
  readonly num_heads: number;
  readonly mlp_ratio: number;
  readonly qkv_bias: boolean;
  /** What the factors of the layers' results begin with; there are none without it. */
  readonly init_values: number | null;
  readonly class_token: boolean;
  /** Tokens beside the class token that stand for no patch (Darcet et al. 2023, https://arxiv.org/abs/2309.16588). */
  readonly reg_tokens: number;
  /** Whether only the patches have positions. */
  readonly no_embed_class: boolean;
  /** Whether a norm stands ahead of the first layer, in the place of the patches' bias. */
  readonly pre_norm: boolean;
  readonly norm_eps: number;
}

const sizes: Readonly<Record<string, Partial<VisionTransformer>>> = {
  tiny: { embed_dim: 192, depth: 12, num_heads: 3 },
  small: { embed_dim: 384, depth: 12, num_heads: 6 },
  base: { embed_dim: 768, depth: 12, num_heads: 12 },
  large: { embed_dim: 1024, depth: 24, num_heads: 16 },
  huge: { embed_dim: 1280, depth: 32, num_heads: 16 },
};

/** What the second half of an architecture's name means: `vit_small_patch14_dinov2`. */
const kinds: readonly (readonly [form: RegExp, Partial<VisionTransformer>])[] = [
  [/^\d+$/u, {}],
  [/^dinov2$/u, { init_values: 1e-5 }],
  [/^reg4_dinov2$/u, { init_values: 1e-5, reg_tokens: 4, no_embed_class: true }],
  [/^clip_\d+$/u, { pre_norm: true, norm_eps: 1e-5 }],
];

const usual: VisionTransformer = {
  patch_size: 16,
  embed_dim: 768,
  depth: 12,
  num_heads: 12,
  mlp_ratio: 4,
  qkv_bias: true,
  init_values: null,
  class_token: true,
  reg_tokens: 0,
  no_embed_class: false,
  pre_norm: false,
  norm_eps: 1e-6,
};

/** The arguments that timm's function of this name gives; undefined where it builds something else. */
function architectureOf(name: string): VisionTransformer | undefined {
  const [, size = '', patch = '', kind = ''] = /^vit_([a-z]+)_patch(\d+)_(\w+)$/u.exec(name) ?? [];
  const ofKind = kinds.find(([form]) => form.test(kind))?.[1];
  const ofSize = Object.hasOwn(sizes, size) ? sizes[size] : undefined;
  return ofSize && ofKind && { ...usual, ...ofSize, ...ofKind, patch_size: Number(patch) };
}

/** How the last tokens become features: the class token behind the norm, or the patches' mean ahead of it. */
type Pool = 'token' | 'avg';

/** Attention and two Linears around GELU, each behind a norm, by a learned factor, and added to what came in. */
function block(builder: GraphBuilder, name: string, x: string, options: VisionTransformer, asking?: number): string {
  const { embed_dim: size, num_heads: heads, qkv_bias: hasBias, mlp_ratio: ratio, norm_eps: epsilon } = options;
  const scaleOf = (layer: string) =>
    options.init_values ? parameter(builder, `${name}.${layer}.gamma`, [size]) : undefined;
  const first = layerNorm(builder, `${name}.norm1`, x, epsilon);
  const weight = parameter(builder, `${name}.attn.qkv.weight`, [3 * size, size]);
  const bias = hasBias ? parameter(builder, `${name}.attn.qkv.bias`, [3 * size]) : undefined;
  const attended = linear(
    builder,
    `${name}.attn.proj`,
    selfAttention(builder, first, { heads, weight, bias, asking }),
    size,
  );
  const between = addScaled(builder, askingTokens(builder, x, asking), attended, scaleOf('ls1'));
  const second = layerNorm(builder, `${name}.norm2`, between, epsilon);
  const y = mlp(builder, timmMlpNames(`${name}.mlp`), second, Math.trunc(size * ratio));
  return addScaled(builder, between, y, scaleOf('ls2'));
}

/** The tokens ahead of the patches: the class token and the registers, each `[1, count, D]`. */
function prefixTokens(
  builder: GraphBuilder,
  { class_token: hasClass, reg_tokens: registers, embed_dim: size }: VisionTransformer,
): string[] {
  return [
    ...(hasClass ? [parameter(builder, 'cls_token', [1, 1, size])] : []),
    ...(registers > 0 ? [parameter(builder, 'reg_token', [1, registers, size])] : []),
  ];
}

/** Images `[N, 3, S, S]`, S a multiple of the patch -> features `[N, D]`. */
function build(builder: GraphBuilder, options: VisionTransformer, pool: Pool, images: string): string {
  const { patch_size: patch, embed_dim: size, no_embed_class: onlyPatches, norm_eps: epsilon } = options;
  const [n, , height, width] = imageShape(builder, images);
  const patches = (height / patch) * (width / patch);
  const prefix = prefixTokens(builder, options);
  const before = prefixCount(options);
  const positions = parameter(builder, positionsName, [1, patches + (onlyPatches ? 0 : before), size]);
  const geometry = { channels: size, kernel: patch, stride: patch, bias: !options.pre_norm };
  const map = conv2d(builder, 'patch_embed.proj', images, geometry);
  let x = transpose(builder, reshape(builder, map, [n, size, patches]), [0, 2, 1]);
  if (onlyPatches) x = add(builder, x, positions);
  const each = prefix.map((tokens) => expand(builder, tokens, [n, ...typeOf(builder, tokens).shape.slice(1)]));
  if (each.length > 0) x = concat(builder, [...each, x]);
  if (!onlyPatches) x = add(builder, x, positions);
  if (options.pre_norm) x = layerNorm(builder, 'norm_pre', x, epsilon);
  for (let index = 0; index < options.depth; index++) {
    // Of the last layer only the class token is needed.
    const asking = pool === 'token' && index === options.depth - 1 ? 1 : undefined;
    x = block(builder, `blocks.${index}`, x, options, asking);
  }
  if (pool === 'token') return reshape(builder, layerNorm(builder, 'norm', x, epsilon), [n, size]);
  const average = mean(builder, slice(builder, x, 1, before, before + patches), [1]);
  return layerNorm(builder, 'fc_norm', reshape(builder, average, [n, size]), epsilon);
}

const positionsName = 'pos_embed';

function prefixCount({ class_token: hasClass, reg_tokens: registers }: VisionTransformer): number {
  return (hasClass ? 1 : 0) + registers;
}

/** Positions and Linears normal with a deviation of 0.02, their biases 0, the tokens ahead almost 0. */
function initialisation({ init_values: scale }: VisionTransformer): Initialisation {
  return (name, shapes) => {
    if (name === positionsName) return { kind: 'normal', std: 0.02 };
    if (name === 'cls_token' || name === 'reg_token') return { kind: 'normal', std: 1e-6 };
    if (name.endsWith('.gamma')) return { kind: 'constant', value: scale ?? 1 };
    const isOwn = name.startsWith('blocks.') || name === `${classifier}.weight` || name === `${classifier}.bias`;
    return isOwn ? narrowNormal(name, shapes) : undefined;
  };
}

function fromTimm(config: TimmConfig): TimmNetwork | undefined {
  const known = architectureOf(config.architecture);
  if (!known) return undefined;
  const options = withModelArguments(known, config);
  refuseUnevenHeads(options);
  const pool = supportedPool(config, ['token', 'avg']);
  if (pool === 'token' && !options.class_token)
    throw new RangeError('its features are those of a class token, which it does not have');
  return {
    title: titleOf(config.architecture),
    features: options.embed_dim,
    multipleOf: options.patch_size,
    positions: { tensor: positionsName, before: options.no_embed_class ? 0 : prefixCount(options) },
    initialise: initialisation(options),
    build: (builder, images) => build(builder, options, pool, images),
  };
}

/** `vit_small_patch14_dinov2` -> `DINOv2 ViT-S/14` */
function titleOf(architecture: string): string {
  const [, size = '', patch = '', kind = ''] = /^vit_([a-z]+)_patch(\d+)_(\w+)$/u.exec(architecture) ?? [];
  const vit = `ViT-${size.charAt(0).toUpperCase()}/${patch}`;
  if (kind.startsWith('clip')) return `CLIP ${vit}`;
  if (!kind.endsWith('dinov2')) return vit;
  return `DINOv2 ${vit}${kind.startsWith('reg') ? ' with registers' : ''}`;
}

function augreg(architecture: string, features: number) {
  return timmConfig(architecture, { features, crop: 0.9, mean: 0.5, std: 0.5, pool: 'token' });
}

function dinov2(architecture: string, features: number) {
  return timmConfig(architecture, { features, classes: 0, size: 518, crop: 1, pool: 'token' });
}

/** Sizes and licences: the networks' pages on the hub. Accuracy: timm's results, at the size and crop of the configuration. */
const rows: Readonly<Record<`timm/${string}`, TimmRow>> = {
  'timm/vit_small_patch16_224.augreg_in21k_ft_in1k': {
    config: augreg('vit_small_patch16_224', 384),
    top1: 81.402,
    megabytes: 84.13,
    pin: {
      commit: '7e2c55630205e1266030f18370f4c6ed1a514b52',
      sha256: '79c03c635cdfd798a364a9d8c4e5c0b7255b975ea2c9616046d4f77ab01435aa',
      bytes: 88_216_496,
    },
  },
  'timm/vit_base_patch16_224.augreg_in21k_ft_in1k': {
    config: augreg('vit_base_patch16_224', 768),
    top1: 84.534,
    megabytes: 330.243,
  },
  'timm/vit_small_patch14_dinov2.lvd142m': {
    config: dinov2('vit_small_patch14_dinov2', 384),
    megabytes: 84.153,
    pin: {
      commit: '4610ca143709d58a633b6397a74412c2c3842454',
      sha256: '04d27f3400d059fc0cfd7d17dd1909a75bf3ea8fb3eeb48b97cb99e57ee20081',
      bytes: 88_240_510,
    },
    side: 224,
  },
  'timm/vit_base_patch14_dinov2.lvd142m': {
    config: dinov2('vit_base_patch14_dinov2', 768),
    megabytes: 330.291,
    pin: {
      commit: '4685c99dabffe5affac90bd99dbffd25801ae58d',
      sha256: '55cbb5d887b336d430e649c277b85a1429e724871f9d02ac16203235886d8c7b',
      bytes: 346_334_872,
    },
    side: 224,
  },
  'timm/vit_small_patch14_reg4_dinov2.lvd142m': {
    config: dinov2('vit_small_patch14_reg4_dinov2', 384),
    megabytes: 84.157,
    side: 224,
  },
  'timm/vit_base_patch14_reg4_dinov2.lvd142m': {
    config: dinov2('vit_base_patch14_reg4_dinov2', 768),
    megabytes: 330.3,
    pin: {
      commit: '3b06466a5548c52b8b98822e1390987695fcbf82',
      sha256: 'c24ecfb4a1d8ca79193f6b9efcffc461872a09ddac43a0931357e4802931a006',
      bytes: 346_344_168,
    },
    side: 224,
  },
};

const classifier = 'head';

/** timm's vision transformers (Dosovitskiy et al. 2020), DINOv2 among them (Oquab et al. 2023, https://arxiv.org/abs/2304.07193). */
export const timmVit: Family = {
  title: 'ViT of timm',
  variants: timmVariants(rows, fromTimm),
  fromTimm,
  transformer: true,
  classifier,
  initialise: initialisation(usual),
};
