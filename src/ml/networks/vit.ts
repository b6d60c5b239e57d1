import { imageShape, parameter } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { multiheadSelfAttention } from '../operators/matmul/attention.ts';
import { concat } from '../operators/movement/concat.ts';
import { reshape } from '../operators/movement/reshape.ts';
import { slice } from '../operators/movement/slice.ts';
import { transpose } from '../operators/movement/transpose.ts';
import { layerNorm } from '../operators/norm/layerNorm.ts';
import { expand } from '../operators/reduce/reduceSum.ts';
import { type Family, variantsOf } from './family.ts';
import { fanIn, type Initialisation, zeros } from './initialise.ts';
import { mlp } from './layers/transformerBlock.ts';
import { preparedBy, swagEndToEnd, swagLinear, torchFile, v1, type WeightSet } from './weightSets.ts';

/** What sets one vision transformer apart from another. */
interface Vit {
  /** Side of a patch in pixels. */
  readonly patch: number;
  /** Size of a token. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly weights: readonly WeightSet[];
}

const base = { width: 768, layers: 12, heads: 12 };
const large = { width: 1024, layers: 24, heads: 16 };
const huge = { width: 1280, layers: 32, heads: 16 };

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const vits: Readonly<Record<string, Vit>> = {
  vit_b_16: {
    ...{ patch: 16, ...base },
    weights: [
      v1(81.072, 330.285, torchFile('vit_b_16', 'c867db91')),
      swagEndToEnd(384, 85.304, 331.398, torchFile('vit_b_16_swag', '9ac1b537')),
      swagLinear(81.886, 330.285, torchFile('vit_b_16_lc_swag', '4e70ced5')),
    ],
  },
  vit_b_32: { patch: 32, ...base, weights: [v1(75.912, 336.604, torchFile('vit_b_32', 'd86f8d99'))] },
  vit_l_16: {
    ...{ patch: 16, ...large },
    weights: [
      preparedBy({ resize: 242 }, v1(79.662, 1161.023, torchFile('vit_l_16', '852ce7e3'))),
      swagEndToEnd(512, 88.064, 1164.258, torchFile('vit_l_16_swag', '4f3808c9')),
      swagLinear(85.146, 1161.023, torchFile('vit_l_16_lc_swag', '4d563306')),
    ],
  },
  vit_l_32: { patch: 32, ...large, weights: [v1(76.972, 1169.449, torchFile('vit_l_32', 'c7638314'))] },
  vit_h_14: {
    ...{ patch: 14, ...huge },
    weights: [
      swagEndToEnd(518, 88.552, 2416.643, torchFile('vit_h_14_swag', '80465313')),
      swagLinear(85.708, 2411.209, torchFile('vit_h_14_lc_swag', 'c1eb923e')),
    ],
  },
};

/** How much wider than a token the hidden layer between two Linears is. */
const expansion = 4;
const epsilon = 1e-6;
const positions = { tensor: 'encoder.pos_embedding', before: 1 };

/** Attention, then two Linears around GELU, each behind a norm and added to what came in. */
function encoderLayer(builder: GraphBuilder, name: string, x: string, { width, heads }: Vit): string {
  const first = layerNorm(builder, `${name}.ln_1`, x, epsilon);
  const attended = add(builder, multiheadSelfAttention(builder, `${name}.self_attention`, first, heads), x);
  const second = layerNorm(builder, `${name}.ln_2`, attended, epsilon);
  return add(builder, attended, mlp(builder, [`${name}.mlp.0`, `${name}.mlp.3`], second, expansion * width));
}

/** Images `[N, 3, S, S]`, S a multiple of the patch -> features `[N, width]`, the class token behind the last layer. */
function build(builder: GraphBuilder, vit: Vit, images: string): string {
  const { patch, width, layers } = vit;
  const classToken = parameter(builder, 'class_token', [1, 1, width]);
  const map = conv2d(builder, 'conv_proj', images, { channels: width, kernel: patch, stride: patch });
  const [n, , rows, columns] = imageShape(builder, map);
  const patches = transpose(builder, reshape(builder, map, [n, width, rows * columns]), [0, 2, 1]);
  const tokens = concat(builder, [expand(builder, classToken, [n, 1, width]), patches]);
  let x = add(builder, tokens, parameter(builder, positions.tensor, [1, 1 + rows * columns, width]));
  for (let layer = 0; layer < layers; layer++) {
    x = encoderLayer(builder, `encoder.layers.encoder_layer_${layer}`, x, vit);
  }
  return reshape(builder, slice(builder, layerNorm(builder, 'encoder.ln', x, epsilon), 1, 0, 1), [n, width]);
}

/** The Linear of the network's own classifier. */
const ownClassifier = 'heads.head';

/** As torchvision's constructor: xavier_uniform_ (Glorot and Bengio 2010) in attention and between, and zeros to classify. */
const initialise: Initialisation = (name, shapes) => {
  const shape = shapes.get(name) ?? [];
  if (name === 'class_token' || name.startsWith(`${ownClassifier}.`)) return zeros;
  if (name === positions.tensor) return { kind: 'normal', std: 0.02 };
  if (name === 'conv_proj.weight') return { kind: 'normal', std: Math.sqrt(1 / fanIn(shape)) };
  if (name === 'conv_proj.bias' || /\.(in_proj_bias|out_proj\.bias)$/u.test(name)) return zeros;
  if (/\.(in_proj_weight|mlp\.\d\.weight)$/u.test(name)) {
    return { kind: 'uniform', bound: Math.sqrt(6 / ((shape[0] ?? 0) + (shape[1] ?? 0))) };
  }
  return /\.mlp\.\d\.bias$/u.test(name) ? { kind: 'normal', std: 1e-6 } : undefined;
};

/** The vision transformer (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929) as torchvision builds it. */
export const vit: Family = {
  title: 'Vision Transformer',
  variants: variantsOf(vits, (name, row) => ({
    title: name.replace(/vit_([a-z])_(\d+)/u, (_, letter: string, patch) => `ViT-${letter.toUpperCase()}/${patch}`),
    features: row.width,
    multipleOf: row.patch,
    positions,
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  transformer: true,
  classifier: 'heads',
  ownClassifier,
  initialise,
  licence: 'BSD-3-Clause',
};
