import { imageShape, parameter } from '../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../graph/graph.ts';
import type { TimmConfig } from '../../protocol/timmConfig.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { linear } from '../operators/matmul/linear.ts';
import { gridAngles, rotaryPosition, type RotaryPositions } from '../operators/matmul/rotaryPosition.ts';
import { concat } from '../operators/movement/concat.ts';
import { constant } from '../operators/movement/constant.ts';
import { reshape } from '../operators/movement/reshape.ts';
import { slice } from '../operators/movement/slice.ts';
import { transpose } from '../operators/movement/transpose.ts';
import { layerNorm } from '../operators/norm/layerNorm.ts';
import { mean } from '../operators/reduce/meanAndMax.ts';
import { expand } from '../operators/reduce/reduceSum.ts';
import type { Family } from './family.ts';
import { type Initialisation, zeros } from './initialise.ts';
import { addScaled, mlp, selfAttention, timmMlpNames } from './layers/transformerBlock.ts';
import { timmConfig, type TimmNetwork, type TimmRow, timmVariants } from './timm.ts';
import { supportedPool, refuseUnevenHeads, withModelArguments } from './timmArguments.ts';

/** Arguments of timm's Eva that its DINOv3 networks differ in, under its names. */
interface Eva {
  readonly patch_size: number;
  readonly embed_dim: number;
  readonly depth: number;
  readonly num_heads: number;
  readonly mlp_ratio: number;
  readonly qkv_bias: boolean;
  readonly init_values: number;
  readonly num_reg_tokens: number;
  readonly rope_temperature: number;
}

const sizes: Readonly<Record<string, Pick<Eva, 'embed_dim' | 'depth' | 'num_heads'>>> = {
  tiny: { embed_dim: 192, depth: 12, num_heads: 3 },
  small: { embed_dim: 384, depth: 12, num_heads: 6 },
  base: { embed_dim: 768, depth: 12, num_heads: 12 },
  large: { embed_dim: 1024, depth: 24, num_heads: 16 },
};

const epsilon = 1e-5;
/** Their `_qkvb` networks have a bias of queries and values. */
const nameForm = /^vit_([a-z]+)_patch16_dinov3(_qkvb)?$/u;

function architectureOf(name: string): Eva | undefined {
  const [whole, size = '', bias] = nameForm.exec(name) ?? [];
  const ofSize = Object.hasOwn(sizes, size) ? sizes[size] : undefined;
  if (whole === undefined || !ofSize) return undefined;
  return {
    ...ofSize,
    patch_size: 16,
    mlp_ratio: 4,
    qkv_bias: bias !== undefined,
    init_values: 1e-5,
    num_reg_tokens: 4,
    rope_temperature: 100,
  };
}

/** How the last tokens become features: the class token, or the patches' mean. */
type Pool = 'token' | 'avg';

/** Attention and two Linears around GELU, each behind a norm, by a learned factor, and added to what came in. */
function block(builder: GraphBuilder, name: string, x: string, options: Eva, positions: RotaryPositions): string {
  const { embed_dim: size, num_heads: heads, mlp_ratio: ratio } = options;
  const [scaleOfAttention, scaleOfMlp] = [1, 2].map((index) => parameter(builder, `${name}.gamma_${index}`, [size]));
  const first = layerNorm(builder, `${name}.norm1`, x, epsilon);
  // Keys have no bias.
  const biasOf = (part: string) => parameter(builder, `${name}.attn.${part}_bias`, [size]);
  const biases = options.qkv_bias
    ? [biasOf('q'), constant(builder, [size], new Array<number>(size).fill(0)), biasOf('v')]
    : [];
  const bias = biases.length > 0 ? concat(builder, biases, 0) : undefined;
  const weight = parameter(builder, `${name}.attn.qkv.weight`, [3 * size, size]);
  const rotate = (value: string) => rotaryPosition(builder, value, positions);
  const attended = selfAttention(builder, first, { heads, weight, bias, rotate });
  const between = addScaled(builder, x, linear(builder, `${name}.attn.proj`, attended, size), scaleOfAttention);
  const second = layerNorm(builder, `${name}.norm2`, between, epsilon);
  const y = mlp(builder, timmMlpNames(`${name}.mlp`), second, Math.trunc(size * ratio));
  return addScaled(builder, between, y, scaleOfMlp);
}

/** Images `[N, 3, S, S]`, S a multiple of the patch -> features `[N, D]`. */
function build(builder: GraphBuilder, options: Eva, pool: Pool, images: string): string {
  const { patch_size: patch, embed_dim: size, num_reg_tokens: registers, num_heads: heads } = options;
  const [n] = imageShape(builder, images);
  const prefix = [parameter(builder, 'cls_token', [1, 1, size]), parameter(builder, 'reg_token', [1, registers, size])];
  const map = conv2d(builder, 'patch_embed.proj', images, { channels: size, kernel: patch, stride: patch });
  const [, , rows, columns] = imageShape(builder, map);
  const patches = rows * columns;
  const each = prefix.map((tokens) => expand(builder, tokens, [n, ...typeOf(builder, tokens).shape.slice(1)]));
  let x = concat(builder, [...each, transpose(builder, reshape(builder, map, [n, size, patches]), [0, 2, 1])]);
  const positions = gridAngles([rows, columns], size / heads, options.rope_temperature);
  for (let index = 0; index < options.depth; index++) x = block(builder, `blocks.${index}`, x, options, positions);
  x = layerNorm(builder, 'norm', x, epsilon);
  if (pool === 'token') return reshape(builder, slice(builder, x, 1, 0, 1), [n, size]);
  const before = 1 + registers;
  return reshape(builder, mean(builder, slice(builder, x, 1, before, before + patches), [1]), [n, size]);
}

/** Tokens and Linears normal with a deviation of 0.02, in deeper layers the last Linears with less; their biases 0. */
function initialisation(scale: number): Initialisation {
  return (name, shapes) => {
    if (name === 'cls_token' || name === 'reg_token') return { kind: 'normal', std: 0.02 };
    if (/\.gamma_\d$/u.test(name)) return { kind: 'constant', value: scale };
    if (/\.attn\.[qv]_bias$/u.test(name)) return zeros;
    const isOwn = name.startsWith('blocks.') || name === `${classifier}.weight` || name === `${classifier}.bias`;
    const weight = shapes.get(name.replace(/bias$/u, 'weight')) ?? [];
    if (!isOwn || weight.length !== 2) return undefined;
    if (name.endsWith('.bias')) return zeros;
    if (name === `${classifier}.weight`) return { kind: 'normal', std: 0.02 * 0.001 };
    const [, layer] = /^blocks\.(\d+)\.(?:attn\.proj|mlp\.fc2)\./u.exec(name) ?? [];
    return { kind: 'normal', std: 0.02 / (layer === undefined ? 1 : Math.sqrt(2 * (Number(layer) + 1))) };
  };
}

function fromTimm(config: TimmConfig): TimmNetwork | undefined {
  const known = architectureOf(config.architecture);
  if (!known) return undefined;
  const options = withModelArguments(known, config);
  refuseUnevenHeads(options, 4);
  const pool = supportedPool(config, ['avg', 'token']);
  const [, size = ''] = nameForm.exec(config.architecture) ?? [];
  return {
    title: `DINOv3 ViT-${size.charAt(0).toUpperCase()}/${options.patch_size}`,
    features: options.embed_dim,
    multipleOf: options.patch_size,
    initialise: initialisation(options.init_values),
    build: (builder, images) => build(builder, options, pool, images),
  };
}

/** Size and licence: the network's page on the hub. */
const rows: Readonly<Record<`timm/${string}`, TimmRow>> = {
  'timm/vit_small_patch16_dinov3.lvd1689m': {
    config: timmConfig('vit_small_patch16_dinov3', {
      features: 384,
      classes: 0,
      size: 256,
      crop: 1,
      licence: 'dinov3-license',
      pool: 'avg',
    }),
    megabytes: 82.362,
    pin: {
      commit: '3bf4720a82ec2066db88137180ff1f83a675cef0',
      sha256: '2a1ec16ae28ffa07bc0ead0241ee7df9fc26451fe6f9f839b7b3afa0a906b040',
      bytes: 86_362_376,
    },
  },
};

const classifier = 'head';

/** DINOv3's vision transformers (Siméoni et al. 2025, https://arxiv.org/abs/2508.10104) as timm builds them, with rotary positions. */
export const timmEva: Family = {
  title: 'DINOv3 ViT of timm',
  variants: timmVariants(rows, fromTimm),
  fromTimm,
  transformer: true,
  classifier,
  initialise: initialisation(1e-5),
};
