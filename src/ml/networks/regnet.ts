import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { relu } from '../operators/activation/relu.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { type Family, variantsOf } from './family.ts';
import { type Initialisation, kaimingConvolutions, zeros } from './initialise.ts';
import { convNormActivation } from './layers/convNormActivation.ts';
import { nearMultiple } from './layers/nearMultiple.ts';
import { squeezeExcite } from './layers/squeezeExcite.ts';
import { swagEndToEnd, swagLinear, torchFile, v1, v2, type WeightSet } from './weightSets.ts';

/** What sets one RegNet apart from another, as the paper writes it. */
interface Regnet {
  /** Blocks of all stages. */
  readonly depth: number;
  /** Channels of the first block, and how many each further one adds before they are rounded. */
  readonly width: number;
  readonly slope: number;
  /** Widths are powers of this times the first. */
  readonly ratio: number;
  /** Channels of a group of the 3x3 convolutions. */
  readonly group: number;
  readonly weights: readonly WeightSet[];
}

/** The sets of both recipes; torch's files have the network's name. */
function both(name: string, first: readonly [string, number], second: readonly [string, number], megabytes: number) {
  return [v1(first[1], megabytes, torchFile(name, first[0])), v2(second[1], megabytes, torchFile(name, second[0]))];
}

/** The sets of SWAG, for images of 384 and 224 pixels. */
function swag(name: string, whole: readonly [string, number], linear: readonly [string, number], megabytes: number) {
  return [
    swagEndToEnd(384, whole[1], megabytes, torchFile(`${name}_swag`, whole[0])),
    swagLinear(linear[1], megabytes, torchFile(`${name}_lc_swag`, linear[0])),
  ];
}

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const regnets: Readonly<Record<string, Regnet>> = {
  regnet_y_400mf: {
    ...{ depth: 16, width: 48, slope: 27.89, ratio: 2.09, group: 8 },
    weights: [
      v1(74.046, 16.806, torchFile('regnet_y_400mf', 'c65dace8')),
      v2(75.804, 16.806, torchFile('regnet_y_400mf', 'e6988f5f')),
    ],
  },
  regnet_y_800mf: {
    ...{ depth: 14, width: 56, slope: 38.84, ratio: 2.4, group: 16 },
    weights: both('regnet_y_800mf', ['1b27b58c', 76.42], ['58fc7688', 78.828], 24.774),
  },
  regnet_y_1_6gf: {
    ...{ depth: 27, width: 48, slope: 20.71, ratio: 2.65, group: 24 },
    weights: both('regnet_y_1_6gf', ['b11a554e', 77.95], ['0d7bc02a', 80.876], 43.152),
  },
  regnet_y_3_2gf: {
    ...{ depth: 21, width: 80, slope: 42.63, ratio: 2.66, group: 24 },
    weights: both('regnet_y_3_2gf', ['b5a9779c', 78.948], ['9180c971', 81.982], 74.567),
  },
  regnet_y_8gf: {
    ...{ depth: 17, width: 192, slope: 76.82, ratio: 2.19, group: 56 },
    weights: both('regnet_y_8gf', ['d0d0e4a8', 80.032], ['dc2b1b54', 82.828], 150.701),
  },
  regnet_y_16gf: {
    ...{ depth: 18, width: 200, slope: 106.23, ratio: 2.48, group: 112 },
    weights: [
      ...both('regnet_y_16gf', ['9e6ed7dd', 80.424], ['3e4a00f9', 82.886], 319.49),
      ...swag('regnet_y_16gf', ['43afe44d', 86.012], ['f3ec0043', 83.976], 319.49),
    ],
  },
  regnet_y_32gf: {
    ...{ depth: 20, width: 232, slope: 115.89, ratio: 2.53, group: 232 },
    weights: [
      ...both('regnet_y_32gf', ['4dee3f7a', 80.878], ['8db6d4b5', 83.368], 554.076),
      ...swag('regnet_y_32gf', ['04fdfa75', 86.838], ['e1583746', 84.622], 554.076),
    ],
  },
  regnet_y_128gf: {
    ...{ depth: 27, width: 456, slope: 160.83, ratio: 2.52, group: 264 },
    weights: swag('regnet_y_128gf', ['c8ce3e52', 88.228], ['cbe8ce12', 86.068], 2461.564),
  },
  regnet_x_400mf: {
    ...{ depth: 22, width: 24, slope: 24.48, ratio: 2.54, group: 16 },
    weights: [
      v1(72.834, 21.258, torchFile('regnet_x_400mf', 'adf1edd5')),
      v2(74.864, 21.257, torchFile('regnet_x_400mf', '62229a5f')),
    ],
  },
  regnet_x_800mf: {
    ...{ depth: 16, width: 56, slope: 35.73, ratio: 2.28, group: 16 },
    weights: both('regnet_x_800mf', ['ad17e45c', 75.212], ['94a99ebd', 77.522], 27.945),
  },
  regnet_x_1_6gf: {
    ...{ depth: 18, width: 80, slope: 34.01, ratio: 2.25, group: 24 },
    weights: both('regnet_x_1_6gf', ['e3633e7f', 77.04], ['a12f2b72', 79.668], 35.339),
  },
  regnet_x_3_2gf: {
    ...{ depth: 25, width: 88, slope: 26.31, ratio: 2.25, group: 48 },
    weights: both('regnet_x_3_2gf', ['f342aeae', 78.364], ['7071aa85', 81.196], 58.756),
  },
  regnet_x_8gf: {
    ...{ depth: 23, width: 80, slope: 49.56, ratio: 2.88, group: 120 },
    weights: both('regnet_x_8gf', ['03ceed89', 79.344], ['2b70d774', 81.682], 151.456),
  },
  regnet_x_16gf: {
    ...{ depth: 22, width: 216, slope: 55.59, ratio: 2.1, group: 128 },
    weights: both('regnet_x_16gf', ['2007eb11', 80.058], ['ba3796d7', 82.716], 207.627),
  },
  regnet_x_32gf: {
    ...{ depth: 23, width: 320, slope: 69.86, ratio: 2, group: 168 },
    weights: both('regnet_x_32gf', ['9d47f8d0', 80.622], ['6eb8fdc6', 83.014], 412.039),
  },
};

/** One stage: channels, how many blocks, and channels of a group. */
interface Stage {
  readonly channels: number;
  readonly blocks: number;
  readonly group: number;
}

/**
 * The stages that a RegNet's few numbers mean: widths on a line, rounded to powers of the ratio and multiples of 8; blocks of
 * one width are a stage, whose width is made a multiple of its group.
 */
function stagesOf({ depth, width, slope, ratio, group: wanted }: Omit<Regnet, 'weights'>): readonly Stage[] {
  const blocks = new Map<number, number>();
  for (let block = 0; block < depth; block++) {
    const power = roundedToEven(Math.log((block * slope + width) / width) / Math.log(ratio));
    const channels = roundedToEven((width * ratio ** power) / 8) * 8;
    blocks.set(channels, (blocks.get(channels) ?? 0) + 1);
  }
  return Array.from(blocks, ([channels, count]) => {
    const group = Math.min(wanted, channels);
    return { channels: nearMultiple(channels, group), blocks: count, group };
  });
}

const stem = 32;

interface Block {
  readonly channels: number;
  readonly group: number;
  readonly stride: number;
  /** Whether channels are weighed by squeeze-and-excite: RegNetY. */
  readonly squeezes: boolean;
}

/** relu(branch(x) + shortcut(x)); the shortcut is a 1x1 convolution where the shape changes. */
function block(builder: GraphBuilder, name: string, x: string, { channels, group, stride, squeezes }: Block): string {
  const [, inputs] = imageShape(builder, x);
  const reshapes = inputs !== channels || stride !== 1;
  const shortcut = reshapes ? convNormActivation(builder, `${name}.proj`, x, { channels, kernel: 1, stride }) : x;
  let y = convNormActivation(builder, `${name}.f.a`, x, { channels, kernel: 1, activation: relu });
  const grouped = { channels, kernel: 3, stride, groups: channels / group, activation: relu };
  y = convNormActivation(builder, `${name}.f.b`, y, grouped);
  if (squeezes) y = squeezeExcite(builder, `${name}.f.se`, y, { squeezed: roundedToEven(inputs / 4) });
  y = convNormActivation(builder, `${name}.f.c`, y, { channels, kernel: 1 });
  return relu(builder, add(builder, shortcut, y));
}

/** Python's `round`: halves go to the even number. */
function roundedToEven(value: number): number {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 === 1 ? near - 1 : near;
}

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map. */
function build(builder: GraphBuilder, stages: readonly Stage[], squeezes: boolean, images: string): string {
  let x = convNormActivation(builder, 'stem', images, { channels: stem, kernel: 3, stride: 2, activation: relu });
  for (const [index, { channels, blocks, group }] of stages.entries()) {
    const stage = index + 1;
    for (let place = 0; place < blocks; place++) {
      const options = { channels, group, stride: place === 0 ? 2 : 1, squeezes };
      x = block(builder, `trunk_output.block${stage}.block${stage}-${place}`, x, options);
    }
  }
  return globalAveragePool(builder, x);
}

const classifier = 'fc';

/** Convolutions by their fan_out, not divided by groups; the biases of squeeze-and-excite are torch's defaults. */
const initialise: Initialisation = (name, shapes) => {
  if (name === `${classifier}.weight`) return { kind: 'normal', std: 0.01 };
  if (name === `${classifier}.bias`) return zeros;
  return kaimingConvolutions(name, shapes);
};

/** RegNet (Radosavovic et al. 2020, https://arxiv.org/abs/2003.13678) as torchvision builds it. */
export const regnet: Family = {
  title: 'RegNet',
  variants: variantsOf(regnets, (name, row) => {
    const stages = stagesOf(row);
    const [, kind = '', size = ''] = /^regnet_([xy])_(.+)$/u.exec(name) ?? [];
    return {
      title: `RegNet${kind.toUpperCase()}-${size.replace('_', '.').toUpperCase()}`,
      features: stages.at(-1)?.channels ?? 0,
      build: (builder, images) => build(builder, stages, kind === 'y', images),
      weights: row.weights,
    };
  }),
  classifier,
  initialise,
  licence: 'BSD-3-Clause',
};
