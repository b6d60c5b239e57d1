import { imageShape, parameter } from '../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../graph/graph.ts';
import { gelu } from '../operators/activation/gelu.ts';
import { silu } from '../operators/activation/silu.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { tanh } from '../operators/elementwise/unary.ts';
import { attention, joinHeads, splitHeads } from '../operators/matmul/attention.ts';
import { linear } from '../operators/matmul/linear.ts';
import { biasByPosition } from '../operators/matmul/windowAttention.ts';
import { reshape } from '../operators/movement/reshape.ts';
import { joinWindows, partitionWindows } from '../operators/movement/shuffle.ts';
import { transpose } from '../operators/movement/transpose.ts';
import { batchNorm2d } from '../operators/norm/batchNorm2d.ts';
import { layerNorm } from '../operators/norm/layerNorm.ts';
import { averagePool2d } from '../operators/pooling/averagePool.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import type { Family } from './family.ts';
import { type Initialisation, narrowNormal } from './initialise.ts';
import { convNormActivation } from './layers/convNormActivation.ts';
import { squeezeExcite } from './layers/squeezeExcite.ts';
import { mlp } from './layers/transformerBlock.ts';
import { bicubic, torchFile, v1 } from './weightSets.ts';

/** Channels of the four blocks, and how many layers each has. */
const channelsOfBlocks = [64, 128, 256, 512];
const layersOfBlocks = [2, 2, 5, 2];
const stem = 64;
const headSize = 32;
/** Side in tokens of a window, and of the grid. */
const partition = 7;
/** How much wider it is inside a convolution block and between two Linears. */
const expansion = 4;
const norm = { epsilon: 1e-3, momentum: 0.01 };
const features = channelsOfBlocks.at(-1) ?? 0;
/** By how much a side shrinks up to the last block, whose map has to be cut into windows as those before it. */
const reduction = 32;

/** 1x1 to the inner width, depthwise, squeeze-and-excite, 1x1; the shortcut shrinks by its mean. */
function mbConv(builder: GraphBuilder, name: string, x: string, channels: number, stride: number): string {
  const [, inputs] = imageShape(builder, x);
  const inner = expansion * channels;
  let shortcut = x;
  if (stride === 2) {
    const pooled = averagePool2d(builder, x, { kernel: 3, stride, padding: 1 });
    shortcut = conv2d(builder, `${name}.proj.1`, pooled, { channels, kernel: 1 });
  } else if (inputs !== channels) {
    shortcut = conv2d(builder, `${name}.proj.0`, x, { channels, kernel: 1 });
  }
  const wide = { channels: inner, activation: gelu, norm };
  let y = batchNorm2d(builder, `${name}.layers.pre_norm`, x, norm);
  y = convNormActivation(builder, `${name}.layers.conv_a`, y, { ...wide, kernel: 1 });
  y = convNormActivation(builder, `${name}.layers.conv_b`, y, { ...wide, kernel: 3, stride, groups: inner });
  const squeezed = Math.floor(channels / 4);
  y = squeezeExcite(builder, `${name}.layers.squeeze_excitation`, y, { squeezed, activation: silu });
  return add(builder, shortcut, conv2d(builder, `${name}.layers.conv_c`, y, { channels, kernel: 1 }));
}

/** Attention with a learned bias by relative position in each of the sequences `[N, T, D]`, T tokens of a square. */
function relativeAttention(builder: GraphBuilder, name: string, x: string): string {
  const size = typeOf(builder, x).shape.at(-1) ?? 1;
  const heads = size / headSize;
  const table = parameter(builder, `${name}.relative_position_bias_table`, [(2 * partition - 1) ** 2, heads]);
  const parts = splitHeads(builder, linear(builder, `${name}.to_qkv`, x, 3 * size), heads);
  const bias = biasByPosition(builder, table, partition);
  const attended = attention(builder, parts, { bias, scale: 1 / Math.sqrt(size) });
  return linear(builder, `${name}.merge`, joinHeads(builder, attended), size);
}

/** Attention, then two Linears around GELU, each behind a norm and added to what came in: `[N, T, D]` -> the same. */
function attentionLayer(builder: GraphBuilder, name: string, x: string): string {
  const size = typeOf(builder, x).shape.at(-1) ?? 1;
  const normalised = layerNorm(builder, `${name}.attn_layer.0`, x);
  const between = add(builder, x, relativeAttention(builder, `${name}.attn_layer.1`, normalised));
  const second = layerNorm(builder, `${name}.mlp_layer.0`, between);
  const linears = [`${name}.mlp_layer.1`, `${name}.mlp_layer.3`] as const;
  return add(builder, between, mlp(builder, linears, second, expansion * size));
}

/** A layer over the tokens of each window, or over those at the same place of each cell of a grid: `[N, H, W, D]` -> the same. */
function partitioned(builder: GraphBuilder, name: string, x: string, kind: 'window' | 'grid'): string {
  const [n = 1, h = 1, w = 1, size = 1] = typeOf(builder, x).shape;
  if (kind === 'window') {
    const windows = attentionLayer(builder, name, partitionWindows(builder, x, partition));
    return joinWindows(builder, windows, partition, [n, h, w]);
  }
  const cell = h / partition;
  const [cells, places] = [partition * partition, cell * cell];
  const byCell = reshape(builder, partitionWindows(builder, x, cell), [n, cells, places, size]);
  const byPlace = reshape(builder, transpose(builder, byCell, [0, 2, 1, 3]), [n * places, cells, size]);
  const y = reshape(builder, attentionLayer(builder, name, byPlace), [n, places, cells, size]);
  const back = reshape(builder, transpose(builder, y, [0, 2, 1, 3]), [n * cells, places, size]);
  return joinWindows(builder, back, cell, [n, h, w]);
}

/** Images `[N, 3, S, S]`, S a multiple of 224 -> features `[N, 512]`, ahead of the last Linear. */
function build(builder: GraphBuilder, images: string): string {
  let x = convNormActivation(builder, 'stem.0', images, {
    channels: stem,
    kernel: 3,
    stride: 2,
    activation: gelu,
    norm,
  });
  x = conv2d(builder, 'stem.1.0', x, { channels: stem, kernel: 3, padding: 1 });
  for (const [block, channels] of channelsOfBlocks.entries()) {
    for (let layer = 0; layer < (layersOfBlocks[block] ?? 0); layer++) {
      const name = `blocks.${block}.layers.${layer}.layers`;
      x = mbConv(builder, `${name}.MBconv`, x, channels, layer === 0 ? 2 : 1);
      let tokens = transpose(builder, x, [0, 2, 3, 1]);
      tokens = partitioned(builder, `${name}.window_attention`, tokens, 'window');
      tokens = partitioned(builder, `${name}.grid_attention`, tokens, 'grid');
      x = transpose(builder, tokens, [0, 3, 1, 2], 'image');
    }
  }
  const pooled = layerNorm(builder, 'classifier.2', globalAveragePool(builder, x));
  return tanh(builder, linear(builder, 'classifier.3', pooled, features));
}

const classifier = 'classifier.5';
const originalClasses = 1000;

/** Convolutions, Linears and the biases of positions normal with a deviation of 0.02, all other biases 0. */
const initialise: Initialisation = (name, shapes) => {
  const isOwn = /^(stem|blocks|classifier\.3)\./u.test(name) || name === `${classifier}.weight`;
  return isOwn ? narrowNormal(name, shapes) : undefined;
};

/** MaxViT (Tu et al. 2022, https://arxiv.org/abs/2204.01697) as torchvision builds it. */
export const maxvit: Family = {
  title: 'MaxViT',
  variants: {
    maxvit_t: {
      title: 'MaxViT-T',
      features,
      multipleOf: partition * reduction,
      build,
      buildOriginal: (builder, images) => linear(builder, classifier, build(builder, images), originalClasses, false),
      /** Accuracy, size and file: https://pytorch.org/vision/stable/models.html. */
      weights: [bicubic([224, 224], v1(83.7, 118.769, torchFile('maxvit_t', 'bc5ab103')))],
    },
  },
  transformer: true,
  classifier,
  initialise,
  licence: 'BSD-3-Clause',
  extraTensors: /\.relative_position_index$/u,
};
