import type { GraphBuilder } from '../graph/graph.ts';
import { relu } from '../operators/activation/relu.ts';
import { concat } from '../operators/movement/concat.ts';
import { ownDropout } from '../operators/elementwise/dropout.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import type { Family } from './family.ts';
import type { Initialisation } from './initialise.ts';
import { type ConvNormActivationOptions, namedConvNormActivation } from './layers/convNormActivation.ts';
import { imagenetPixels, torchFile, v1 } from './weightSets.ts';

const norm = { epsilon: 1e-3 };

/** torchvision's BasicConv2d, which GoogLeNet and Inception v3 are made of: convolution, batch norm, ReLU. */
export function basicConvolution(
  builder: GraphBuilder,
  name: string,
  x: string,
  options: Omit<ConvNormActivationOptions, 'norm' | 'activation'>,
): string {
  return namedConvNormActivation(builder, [`${name}.conv`, `${name}.bn`], x, { ...options, norm, activation: relu });
}

/** Pixels from -1 to 1, as the weights want them that were ported from TensorFlow: torchvision's `transform_input`. */
export const portedPixels = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** Channels of one module: of the 1x1 branch, of the two 3x3 branches with what is before them, and of the pooled one. */
interface Module {
  readonly name: string;
  readonly point: number;
  readonly first: readonly [before: number, channels: number];
  readonly second: readonly [before: number, channels: number];
  readonly pooled: number;
}

/** A pool by the side of its windows, or a module. */
type Stage = { readonly pool: number } | Module;

const stages: readonly Stage[] = [
  { name: 'inception3a', point: 64, first: [96, 128], second: [16, 32], pooled: 32 },
  { name: 'inception3b', point: 128, first: [128, 192], second: [32, 96], pooled: 64 },
  { pool: 3 },
  { name: 'inception4a', point: 192, first: [96, 208], second: [16, 48], pooled: 64 },
  { name: 'inception4b', point: 160, first: [112, 224], second: [24, 64], pooled: 64 },
  { name: 'inception4c', point: 128, first: [128, 256], second: [24, 64], pooled: 64 },
  { name: 'inception4d', point: 112, first: [144, 288], second: [32, 64], pooled: 64 },
  { name: 'inception4e', point: 256, first: [160, 320], second: [32, 128], pooled: 128 },
  { pool: 2 },
  { name: 'inception5a', point: 256, first: [160, 320], second: [32, 128], pooled: 128 },
  { name: 'inception5b', point: 384, first: [192, 384], second: [48, 128], pooled: 128 },
];

/** Four branches, joined. The last convolution of the second is 3x3, where the paper has 5x5. */
function inception(builder: GraphBuilder, x: string, { name, point, first, second, pooled }: Module): string {
  const branch = (index: number, from: string, ...layers: readonly (readonly [kernel: number, channels: number])[]) =>
    layers.reduce((y, [kernel, channels], layer) => {
      const place = index === 1 ? '' : `.${layer + (index === 4 ? 1 : 0)}`;
      return basicConvolution(builder, `${name}.branch${index}${place}`, y, { channels, kernel });
    }, from);
  return concat(builder, [
    branch(1, x, [1, point]),
    branch(2, x, [1, first[0]], [3, first[1]]),
    branch(3, x, [1, second[0]], [3, second[1]]),
    branch(4, maxPool2d(builder, x, { kernel: 3, stride: 1, padding: 1, ceilMode: true }), [1, pooled]),
  ]);
}

/** Images `[N, 3, H, W]` -> features `[N, 1024]`, the mean over the last map, behind a dropout. */
function build(builder: GraphBuilder, images: string): string {
  const halve = (x: string, kernel: number) => maxPool2d(builder, x, { kernel, stride: 2, ceilMode: true });
  let x = halve(basicConvolution(builder, 'conv1', images, { channels: 64, kernel: 7, stride: 2 }), 3);
  x = basicConvolution(builder, 'conv2', x, { channels: 64, kernel: 1 });
  x = halve(basicConvolution(builder, 'conv3', x, { channels: 192, kernel: 3 }), 3);
  for (const stage of stages) x = 'pool' in stage ? halve(x, stage.pool) : inception(builder, x, stage);
  return ownDropout(builder, 'dropout', globalAveragePool(builder, x), 0.2);
}

const classifier = 'fc';

/** trunc_normal_ that is cut off at 2, which is 200 deviations away: a normal distribution. */
const initialise: Initialisation = (name, shapes) =>
  name === `${classifier}.weight` || shapes.get(name)?.length === 4 ? { kind: 'normal', std: 0.01 } : undefined;

/** GoogLeNet (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842) as torchvision builds it, without its auxiliary classifiers. */
export const googlenet: Family = {
  title: 'GoogLeNet',
  variants: {
    googlenet: {
      title: 'GoogLeNet',
      features: 1024,
      build,
      preprocessing: imagenetPixels(),
      /** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
      weights: [
        {
          ...v1(69.778, 49.731, torchFile('googlenet', '1378be20')),
          preprocessing: { ...imagenetPixels(), ...portedPixels },
        },
      ],
    },
  },
  classifier,
  initialise,
  licence: 'BSD-3-Clause',
  extraTensors: /^aux[12]\./u,
};
