import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { relu } from '../operators/activation/relu.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { ownDropout } from '../operators/elementwise/dropout.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { type Family, variantsOf } from './family.ts';
import { fanOut, type Initialisation, kaimingConvolutions, weightShapeOf, zeros } from './initialise.ts';
import { type ConvNormActivationOptions, namedConvNormActivation } from './layers/convNormActivation.ts';
import { nearMultiple } from './layers/nearMultiple.ts';
import { preparedBy, torchFile, v1, type WeightSet } from './weightSets.ts';

/** What sets one MNASNet apart from another: how many times as wide it is as the paper's. */
interface Mnasnet {
  readonly width: number;
  readonly weights: readonly WeightSet[];
}

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const mnasnets: Readonly<Record<string, Mnasnet>> = {
  mnasnet0_5: { width: 0.5, weights: [v1(67.734, 8.591, torchFile('mnasnet0.5_top1_67.823', '3ffadce67e'))] },
  mnasnet0_75: {
    width: 0.75,
    weights: [preparedBy({ resize: 232 }, v1(71.18, 12.303, torchFile('mnasnet0_75', '7090bc5f')))],
  },
  mnasnet1_0: { width: 1, weights: [v1(73.456, 16.915, torchFile('mnasnet1.0_top1_73.512', 'f206786ef8'))] },
  mnasnet1_3: {
    width: 1.3,
    weights: [preparedBy({ resize: 232 }, v1(76.506, 24.246, torchFile('mnasnet1_3', 'a4c69d6f')))],
  },
};

/** Blocks of one stage: how much wider they are inside, their kernel, the stride of the first, their channels, how many. */
type Stage = readonly [expansion: number, kernel: number, stride: number, channels: number, blocks: number];

const stages: readonly Stage[] = [
  [3, 3, 2, 24, 3],
  [3, 5, 2, 40, 3],
  [6, 5, 2, 80, 3],
  [6, 3, 1, 96, 2],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
];
const stem = 32;
const narrow = 16;
const features = 1280;
/** TensorFlow's 0.9997. */
const norm = { momentum: 1 - 0.9997 };

/** A convolution and its batch norm at `index` and behind it among the modules of `module`. */
function layer(
  builder: GraphBuilder,
  module: string,
  index: number,
  x: string,
  options: ConvNormActivationOptions,
): string {
  const names = [`${module}.${index}`, `${module}.${index + 1}`] as const;
  return namedConvNormActivation(builder, names, x, { ...options, norm });
}

interface Block {
  readonly expansion: number;
  readonly kernel: number;
  readonly stride: number;
  readonly channels: number;
}

/** 1x1 to the inner width, depthwise, 1x1 without an activation; added to what came in if both fit. */
function block(builder: GraphBuilder, name: string, x: string, options: Block): string {
  const { expansion, kernel, stride, channels } = options;
  const [, inputs] = imageShape(builder, x);
  const inner = inputs * expansion;
  const layers = `${name}.layers`;
  let y = layer(builder, layers, 0, x, { channels: inner, kernel: 1, activation: relu });
  y = layer(builder, layers, 3, y, { channels: inner, kernel, stride, groups: inner, activation: relu });
  y = layer(builder, layers, 6, y, { channels, kernel: 1 });
  return stride === 1 && inputs === channels ? add(builder, y, x) : y;
}

/** Images `[N, 3, H, W]` -> features `[N, 1280]`, the mean over the last map. */
function build(builder: GraphBuilder, { width }: Mnasnet, images: string): string {
  const widened = (channels: number) => nearMultiple(channels * width);
  const first = widened(stem);
  let x = layer(builder, 'layers', 0, images, { channels: first, kernel: 3, stride: 2, activation: relu });
  x = layer(builder, 'layers', 3, x, { channels: first, kernel: 3, groups: first, activation: relu });
  x = layer(builder, 'layers', 6, x, { channels: widened(narrow), kernel: 1 });
  for (const [stage, [expansion, kernel, firstStride, channels, blocks]] of stages.entries()) {
    for (let index = 0; index < blocks; index++) {
      const stride = index === 0 ? firstStride : 1;
      const options = { expansion, kernel, stride, channels: widened(channels) };
      x = block(builder, `layers.${stage + 8}.${index}`, x, options);
    }
  }
  x = layer(builder, 'layers', 14, x, { channels: features, kernel: 1, activation: relu });
  return ownDropout(builder, 'classifier.0', globalAveragePool(builder, x), 0.2);
}

/** The Linear of the network's own classifier. */
const ownClassifier = 'classifier.1';

/** Convolutions by kaiming_normal_ over fan_out, the Linear by kaiming_uniform_. */
const initialise: Initialisation = (name, shapes) => {
  if (name === `${ownClassifier}.bias`) return zeros;
  if (name === `${ownClassifier}.weight`) {
    return { kind: 'uniform', bound: Math.sqrt(3 / fanOut(weightShapeOf(name, shapes))) };
  }
  return kaimingConvolutions(name, shapes);
};

/** MNASNet (Tan et al. 2018, https://arxiv.org/abs/1807.11626), its variant B1, as torchvision builds it. */
export const mnasnet: Family = {
  title: 'MNASNet',
  variants: variantsOf(mnasnets, (name, row) => ({
    title: name.replace(/^mnasnet(\d)_(\d+)$/u, 'MNASNet $1.$2'),
    features,
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  classifier: 'classifier',
  ownClassifier,
  initialise,
  licence: 'BSD-3-Clause',
};
