import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { relu } from '../operators/activation/relu.ts';
import { concat } from '../operators/movement/concat.ts';
import { channelShuffle } from '../operators/movement/shuffle.ts';
import { slice } from '../operators/movement/slice.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import { type Family, variantsOf } from './family.ts';
import { torchDefaults } from './initialise.ts';
import {
  convNormActivation,
  type ConvNormActivationOptions,
  namedConvNormActivation,
} from './layers/convNormActivation.ts';
import { preparedBy, torchFile, v1, type WeightSet } from './weightSets.ts';

/** What sets one ShuffleNetV2 apart from another: the channels of its three stages, and of its last convolution. */
interface Shufflenet {
  readonly stages: readonly [number, number, number];
  readonly features: number;
  readonly weights: readonly WeightSet[];
}

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const shufflenets: Readonly<Record<string, Shufflenet>> = {
  shufflenet_v2_x0_5: {
    stages: [48, 96, 192],
    features: 1024,
    weights: [v1(60.552, 5.282, torchFile('shufflenetv2_x0.5', 'f707e7126e'))],
  },
  shufflenet_v2_x1_0: {
    stages: [116, 232, 464],
    features: 1024,
    weights: [v1(69.362, 8.791, torchFile('shufflenetv2_x1', '5666bf0f80'))],
  },
  shufflenet_v2_x1_5: {
    stages: [176, 352, 704],
    features: 1024,
    weights: [preparedBy({ resize: 232 }, v1(72.996, 13.557, torchFile('shufflenetv2_x1_5', '3c479a10')))],
  },
  shufflenet_v2_x2_0: {
    stages: [244, 488, 976],
    features: 2048,
    weights: [preparedBy({ resize: 232 }, v1(76.23, 28.433, torchFile('shufflenetv2_x2_0', '8be3c8ee')))],
  },
};

/** Units of each stage; the first one halves height and width. */
const units = [4, 8, 4] as const;
const stem = 24;

/** One half of the channels goes through three convolutions, the other as it is, or through two where the unit halves the map. */
function unit(builder: GraphBuilder, name: string, x: string, channels: number, stride: 1 | 2): string {
  const half = channels / 2;
  const layer = (branch: string, index: number, y: string, options: Omit<ConvNormActivationOptions, 'channels'>) => {
    const width = options.groups ?? half;
    const names = [`${name}.${branch}.${index}`, `${name}.${branch}.${index + 1}`] as const;
    return namedConvNormActivation(builder, names, y, { channels: width, ...options });
  };
  const depthwise = (inputs: number) => ({ kernel: 3, stride, groups: inputs });
  const [, inputs] = imageShape(builder, x);
  const kept =
    stride === 1
      ? slice(builder, x, 1, 0, half)
      : layer('branch1', 2, layer('branch1', 0, x, depthwise(inputs)), { kernel: 1, activation: relu });
  let moved = stride === 1 ? slice(builder, x, 1, half, channels) : x;
  moved = layer('branch2', 0, moved, { kernel: 1, activation: relu });
  moved = layer('branch2', 3, moved, depthwise(half));
  moved = layer('branch2', 5, moved, { kernel: 1, activation: relu });
  return channelShuffle(builder, concat(builder, [kept, moved]), 2);
}

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map. */
function build(builder: GraphBuilder, { stages, features }: Shufflenet, images: string): string {
  let x = convNormActivation(builder, 'conv1', images, { channels: stem, kernel: 3, stride: 2, activation: relu });
  x = maxPool2d(builder, x, { kernel: 3, stride: 2, padding: 1 });
  for (const [stage, channels] of stages.entries()) {
    for (let index = 0; index < (units[stage] ?? 0); index++) {
      x = unit(builder, `stage${stage + 2}.${index}`, x, channels, index === 0 ? 2 : 1);
    }
  }
  x = convNormActivation(builder, 'conv5', x, { channels: features, kernel: 1, activation: relu });
  return globalAveragePool(builder, x);
}

/** ShuffleNetV2 (Ma et al. 2018, https://arxiv.org/abs/1807.11164) as torchvision builds it. */
export const shufflenetV2: Family = {
  title: 'ShuffleNetV2',
  variants: variantsOf(shufflenets, (name, row) => ({
    title: name.replace(/^shufflenet_v2_x(\d)_(\d)$/u, 'ShuffleNetV2 x$1.$2'),
    features: row.features,
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  classifier: 'fc',
  initialise: torchDefaults,
  licence: 'BSD-3-Clause',
};
