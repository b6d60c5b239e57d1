import { parameter } from '../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../graph/graph.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { applyLinear } from '../operators/matmul/linear.ts';
import { cosineWindowAttention, windowAttention } from '../operators/matmul/windowAttention.ts';
import { reshape } from '../operators/movement/reshape.ts';
import { pad } from '../operators/movement/slice.ts';
import { transpose } from '../operators/movement/transpose.ts';
import { applyLayerNorm, layerNorm, layerNormParameters } from '../operators/norm/layerNorm.ts';
import { mean } from '../operators/reduce/meanAndMax.ts';
import { type Family, variantsOf } from './family.ts';
import { type Initialisation, narrowNormal } from './initialise.ts';
import { mlp } from './layers/transformerBlock.ts';
import { bicubic, torchFile, v1, type WeightSet } from './weightSets.ts';

/** What sets one Swin transformer apart from another. */
interface Swin {
  readonly version: 1 | 2;
  /** Size of a token in the first stage; each stage doubles it. */
  readonly width: number;
  /** Heads of the first stage; each stage doubles them. */
  readonly heads: number;
  readonly blocks: readonly number[];
  readonly weights: readonly WeightSet[];
}

const tiny = { width: 96, heads: 3, blocks: [2, 2, 6, 2] };
const small = { width: 96, heads: 3, blocks: [2, 2, 18, 2] };
const base = { width: 128, heads: 4, blocks: [2, 2, 18, 2] };

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const swins: Readonly<Record<string, Swin>> = {
  swin_t: {
    ...{ version: 1, ...tiny },
    weights: [bicubic([232, 224], v1(81.474, 108.19, torchFile('swin_t', '704ceda3')))],
  },
  swin_s: {
    ...{ version: 1, ...small },
    weights: [bicubic([246, 224], v1(83.196, 189.786, torchFile('swin_s', '5e29d889')))],
  },
  swin_b: {
    ...{ version: 1, ...base },
    weights: [bicubic([238, 224], v1(83.582, 335.364, torchFile('swin_b', '68c6b09e')))],
  },
  swin_v2_t: {
    ...{ version: 2, ...tiny },
    weights: [bicubic([260, 256], v1(82.072, 108.626, torchFile('swin_v2_t', 'b137f0e2')))],
  },
  swin_v2_s: {
    ...{ version: 2, ...small },
    weights: [bicubic([260, 256], v1(83.712, 190.675, torchFile('swin_v2_s', '637d8ceb')))],
  },
  swin_v2_b: {
    ...{ version: 2, ...base },
    weights: [bicubic([272, 256], v1(84.112, 336.372, torchFile('swin_v2_b', '781e5279')))],
  },
};

/** Side in pixels of a patch, and in tokens of a window. */
const patch = 4;
const windows = { 1: 7, 2: 8 } as const;
/** How much wider the hidden layer between two Linears is. */
const expansion = 4;

interface Block {
  readonly heads: number;
  readonly window: number;
  readonly shift: number;
}

/** Attention in windows and two Linears around GELU, each behind a norm, or in V2 before one, and added to what came in. */
function block(builder: GraphBuilder, name: string, x: string, version: 1 | 2, options: Block): string {
  const width = typeOf(builder, x).shape.at(-1) ?? 1;
  const linears = (y: string) => mlp(builder, [`${name}.mlp.0`, `${name}.mlp.3`], y, expansion * width);
  if (version === 1) {
    const attended = windowAttention(builder, `${name}.attn`, layerNorm(builder, `${name}.norm1`, x), options);
    const between = add(builder, x, attended);
    return add(builder, between, linears(layerNorm(builder, `${name}.norm2`, between)));
  }
  // torch lists a norm's parameters ahead of those of the layer before it.
  const first = layerNormParameters(builder, `${name}.norm1`, width);
  const attended = cosineWindowAttention(builder, `${name}.attn`, x, options);
  const between = add(builder, x, applyLayerNorm(builder, attended, first));
  const second = layerNormParameters(builder, `${name}.norm2`, width);
  return add(builder, between, applyLayerNorm(builder, linears(between), second));
}

/** Four neighbours become one token of twice the size: `[N, H, W, D]` -> `[N, H / 2, W / 2, 2 D]`, odd sides padded. */
function mergePatches(builder: GraphBuilder, name: string, x: string, version: 1 | 2): string {
  const [n = 1, height = 1, width = 1, size = 1] = typeOf(builder, x).shape;
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const isOdd = 2 * rows > height || 2 * columns > width;
  const even = isOdd ? pad(builder, x, [0, 0, 0, 0], [0, 2 * rows - height, 2 * columns - width, 0]) : x;
  const split = reshape(builder, even, [n, rows, 2, columns, 2, size]);
  const merged = reshape(builder, transpose(builder, split, [0, 1, 3, 4, 2, 5]), [n, rows, columns, 4 * size]);
  const weight = parameter(builder, `${name}.reduction.weight`, [2 * size, 4 * size]);
  return version === 1
    ? applyLinear(builder, layerNorm(builder, `${name}.norm`, merged), weight)
    : layerNorm(builder, `${name}.norm`, applyLinear(builder, merged, weight));
}

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last tokens. */
function build(builder: GraphBuilder, { version, width, heads, blocks }: Swin, images: string): string {
  const window = windows[version];
  const map = conv2d(builder, 'features.0.0', images, { channels: width, kernel: patch, stride: patch });
  let x = layerNorm(builder, 'features.0.2', transpose(builder, map, [0, 2, 3, 1]));
  for (const [stage, count] of blocks.entries()) {
    if (stage > 0) x = mergePatches(builder, `features.${2 * stage}`, x, version);
    for (let index = 0; index < count; index++) {
      const shift = index % 2 === 0 ? 0 : Math.floor(window / 2);
      const options = { heads: heads * 2 ** stage, window, shift };
      x = block(builder, `features.${2 * stage + 1}.${index}`, x, version, options);
    }
  }
  x = layerNorm(builder, 'norm', x);
  const [n = 1, , , size = 1] = typeOf(builder, x).shape;
  return reshape(builder, mean(builder, x, [1, 2]), [n, size]);
}

const classifier = 'head';

/** Linears and the biases of positions normal with a deviation of 0.02, the Linears' own biases 0. */
const initialise: Initialisation = (name, shapes) => {
  if (name.endsWith('.logit_scale')) return { kind: 'constant', value: Math.log(10) };
  // The convolution that cuts patches is drawn by torch's defaults.
  const isOwn = /^features\.(?!0\.0\.)/u.test(name) || name === `${classifier}.weight` || name === `${classifier}.bias`;
  return isOwn ? narrowNormal(name, shapes) : undefined;
};

/**
 * The Swin transformer (Liu et al. 2021, https://arxiv.org/abs/2103.14030) and its second version (Liu et al. 2021,
 * https://arxiv.org/abs/2111.09883) as torchvision builds them. Images of any size are taken: what does not fill windows
 * is padded.
 */
export const swin: Family = {
  title: 'Swin',
  variants: variantsOf(swins, (name, row) => ({
    title: `Swin${row.version === 2 ? 'V2' : ''}-${name.slice(-1).toUpperCase()}`,
    features: row.width * 2 ** (row.blocks.length - 1),
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  transformer: true,
  classifier,
  initialise,
  licence: 'BSD-3-Clause',
  extraTensors: /\.attn\.(relative_position_index|relative_coords_table)$/u,
};
