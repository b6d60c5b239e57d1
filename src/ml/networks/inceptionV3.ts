import type { Pair } from '../graph/geometry.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { concat } from '../operators/movement/concat.ts';
import { averagePool2d } from '../operators/pooling/averagePool.ts';
import { ownDropout } from '../operators/elementwise/dropout.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import type { Family } from './family.ts';
import { basicConvolution, portedPixels } from './googlenet.ts';
import type { Initialisation } from './initialise.ts';
import { requireSide } from './layers/requireSide.ts';
import { imagenetPixels, torchFile, v1 } from './weightSets.ts';

/** A convolution of a branch; one of stride 2 has no padding. */
interface Layer {
  readonly name: string;
  readonly channels: number;
  readonly kernel: number | Pair;
  readonly stride?: 2;
}

function layer(name: string, channels: number, kernel: number | Pair, stride?: 2): Layer {
  return { name, channels, kernel, ...(stride === undefined ? {} : { stride }) };
}

function branch(builder: GraphBuilder, module: string, x: string, ...layers: readonly Layer[]): string {
  return layers.reduce((y, { name, ...options }) => {
    const padding = options.stride === 2 ? { padding: 0 } : {};
    return basicConvolution(builder, `${module}.${name}`, y, { ...options, ...padding });
  }, x);
}

/** The mean of 3x3 windows and a 1x1 convolution. */
function pooledBranch(builder: GraphBuilder, module: string, x: string, channels: number): string {
  const pooled = averagePool2d(builder, x, { kernel: 3, stride: 1, padding: 1 });
  return branch(builder, module, pooled, layer('branch_pool', channels, 1));
}

function halved(builder: GraphBuilder, x: string): string {
  return maxPool2d(builder, x, { kernel: 3, stride: 2 });
}

type Module = (builder: GraphBuilder, module: string, x: string) => string;

/** InceptionA: 3x3 and 5x5 kernels at 35 pixels. */
function moduleA(pooled: number): Module {
  return (builder, module, x) =>
    concat(builder, [
      branch(builder, module, x, layer('branch1x1', 64, 1)),
      branch(builder, module, x, layer('branch5x5_1', 48, 1), layer('branch5x5_2', 64, 5)),
      branch(
        builder,
        module,
        x,
        layer('branch3x3dbl_1', 64, 1),
        layer('branch3x3dbl_2', 96, 3),
        layer('branch3x3dbl_3', 96, 3),
      ),
      pooledBranch(builder, module, x, pooled),
    ]);
}

/** InceptionB: from 35 to 17 pixels. */
const moduleB: Module = (builder, module, x) =>
  concat(builder, [
    branch(builder, module, x, layer('branch3x3', 384, 3, 2)),
    branch(
      builder,
      module,
      x,
      layer('branch3x3dbl_1', 64, 1),
      layer('branch3x3dbl_2', 96, 3),
      layer('branch3x3dbl_3', 96, 3, 2),
    ),
    halved(builder, x),
  ]);

/** InceptionC: 7x7 kernels as pairs of 1x7 and 7x1 at 17 pixels. */
function moduleC(inner: number): Module {
  return (builder, module, x) =>
    concat(builder, [
      branch(builder, module, x, layer('branch1x1', 192, 1)),
      branch(
        builder,
        module,
        x,
        layer('branch7x7_1', inner, 1),
        layer('branch7x7_2', inner, [1, 7]),
        layer('branch7x7_3', 192, [7, 1]),
      ),
      branch(
        builder,
        module,
        x,
        layer('branch7x7dbl_1', inner, 1),
        layer('branch7x7dbl_2', inner, [7, 1]),
        layer('branch7x7dbl_3', inner, [1, 7]),
        layer('branch7x7dbl_4', inner, [7, 1]),
        layer('branch7x7dbl_5', 192, [1, 7]),
      ),
      pooledBranch(builder, module, x, 192),
    ]);
}

/** InceptionD: from 17 to 8 pixels. */
const moduleD: Module = (builder, module, x) =>
  concat(builder, [
    branch(builder, module, x, layer('branch3x3_1', 192, 1), layer('branch3x3_2', 320, 3, 2)),
    branch(
      builder,
      module,
      x,
      layer('branch7x7x3_1', 192, 1),
      layer('branch7x7x3_2', 192, [1, 7]),
      layer('branch7x7x3_3', 192, [7, 1]),
      layer('branch7x7x3_4', 192, 3, 2),
    ),
    halved(builder, x),
  ]);

/** InceptionE: 1x3 and 3x1 kernels side by side at 8 pixels. */
const moduleE: Module = (builder, module, x) => {
  const fork = (y: string, wide: string, high: string) => [
    branch(builder, module, y, layer(wide, 384, [1, 3])),
    branch(builder, module, y, layer(high, 384, [3, 1])),
  ];
  const point = branch(builder, module, x, layer('branch1x1', 320, 1));
  const single = branch(builder, module, x, layer('branch3x3_1', 384, 1));
  const singles = fork(single, 'branch3x3_2a', 'branch3x3_2b');
  const double = branch(builder, module, x, layer('branch3x3dbl_1', 448, 1), layer('branch3x3dbl_2', 384, 3));
  const doubles = fork(double, 'branch3x3dbl_3a', 'branch3x3dbl_3b');
  return concat(builder, [point, ...singles, ...doubles, pooledBranch(builder, module, x, 192)]);
};

const modules: readonly (readonly [name: string, module: Module])[] = [
  ['Mixed_5b', moduleA(32)],
  ['Mixed_5c', moduleA(64)],
  ['Mixed_5d', moduleA(64)],
  ['Mixed_6a', moduleB],
  ['Mixed_6b', moduleC(128)],
  ['Mixed_6c', moduleC(160)],
  ['Mixed_6d', moduleC(160)],
  ['Mixed_6e', moduleC(192)],
  ['Mixed_7a', moduleD],
  ['Mixed_7b', moduleE],
  ['Mixed_7c', moduleE],
];

/** Images `[N, 3, H, W]` of 75 pixels and more -> features `[N, 2048]`, the mean over the last map, behind a dropout. */
function build(builder: GraphBuilder, images: string): string {
  requireSide(builder, images, 75);
  let x = basicConvolution(builder, 'Conv2d_1a_3x3', images, { channels: 32, kernel: 3, stride: 2, padding: 0 });
  x = basicConvolution(builder, 'Conv2d_2a_3x3', x, { channels: 32, kernel: 3, padding: 0 });
  x = halved(builder, basicConvolution(builder, 'Conv2d_2b_3x3', x, { channels: 64, kernel: 3 }));
  x = basicConvolution(builder, 'Conv2d_3b_1x1', x, { channels: 80, kernel: 1 });
  x = halved(builder, basicConvolution(builder, 'Conv2d_4a_3x3', x, { channels: 192, kernel: 3, padding: 0 }));
  for (const [name, module] of modules) x = module(builder, name, x);
  return ownDropout(builder, 'dropout', globalAveragePool(builder, x), 0.5);
}

const classifier = 'fc';
const pixels = imagenetPixels({ resize: 342, crop: 299 });

/** trunc_normal_ that is cut off at 2, which is 20 deviations away: a normal distribution. */
const initialise: Initialisation = (name, shapes) =>
  name === `${classifier}.weight` || shapes.get(name)?.length === 4 ? { kind: 'normal', std: 0.1 } : undefined;

/** Inception v3 (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567) as torchvision builds it, without its auxiliary classifier. */
export const inceptionV3: Family = {
  title: 'Inception',
  variants: {
    inception_v3: {
      title: 'Inception v3',
      features: 2048,
      build,
      preprocessing: pixels,
      /** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
      weights: [
        {
          ...v1(77.294, 103.903, torchFile('inception_v3_google', '0cc3c7bd')),
          preprocessing: { ...pixels, ...portedPixels },
        },
      ],
    },
  },
  classifier,
  initialise,
  licence: 'BSD-3-Clause',
  extraTensors: /^AuxLogits\./u,
};
