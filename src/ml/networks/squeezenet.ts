import type { GraphBuilder } from '../graph/graph.ts';
import { concat } from '../operators/movement/concat.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import { relu } from '../operators/activation/relu.ts';
import { type Family, variantsOf } from './family.ts';
import { fanIn, type Initialisation, isConvolutionWeight, weightShapeOf, zeros } from './initialise.ts';
import { torchFile, v1, type WeightSet } from './weightSets.ts';

/** A Fire module by the channels of its squeeze and of each of its two expansions, or a max pool. */
type Stage = readonly [squeeze: number, expand: number] | 'pool';

/** What sets the two SqueezeNets apart: the first convolution, and where the pools lie. */
interface Squeezenet {
  readonly channels: number;
  readonly kernel: number;
  readonly stages: readonly Stage[];
  readonly weights: readonly WeightSet[];
}

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const squeezenets: Readonly<Record<string, Squeezenet>> = {
  squeezenet1_0: {
    channels: 96,
    kernel: 7,
    stages: [
      'pool',
      [16, 64],
      [16, 64],
      [32, 128],
      'pool',
      [32, 128],
      [48, 192],
      [48, 192],
      [64, 256],
      'pool',
      [64, 256],
    ],
    weights: [v1(58.092, 4.778, torchFile('squeezenet1_0', 'b66bff10'))],
  },
  squeezenet1_1: {
    channels: 64,
    kernel: 3,
    stages: [
      'pool',
      [16, 64],
      [16, 64],
      'pool',
      [32, 128],
      [32, 128],
      'pool',
      [48, 192],
      [48, 192],
      [64, 256],
      [64, 256],
    ],
    weights: [v1(58.178, 4.729, torchFile('squeezenet1_1', 'b8a52dc0'))],
  },
};

/** Number of features before the classifier. */
const featureCount = 512;

/** 1x1 convolution to `squeeze` channels, then a 1x1 and a 3x3 one to `expand` each, joined; ReLU after all three. */
function fire(builder: GraphBuilder, name: string, x: string, squeeze: number, expand: number): string {
  const squeezed = relu(builder, conv2d(builder, `${name}.squeeze`, x, { channels: squeeze, kernel: 1 }));
  const point = relu(builder, conv2d(builder, `${name}.expand1x1`, squeezed, { channels: expand, kernel: 1 }));
  const wide = conv2d(builder, `${name}.expand3x3`, squeezed, { channels: expand, kernel: 3, padding: 1 });
  return concat(builder, [point, relu(builder, wide)]);
}

/** Images `[N, 3, H, W]` -> map `[N, 512, h, w]` of the last Fire module. */
function featureMap(builder: GraphBuilder, { channels, kernel, stages }: Squeezenet, images: string): string {
  let x = relu(builder, conv2d(builder, 'features.0', images, { channels, kernel, stride: 2 }));
  for (const [index, stage] of stages.entries()) {
    x =
      stage === 'pool'
        ? maxPool2d(builder, x, { kernel: 3, stride: 2, ceilMode: true })
        : fire(builder, `features.${index + 2}`, x, ...stage);
  }
  return x;
}

/** The convolution that SqueezeNet classifies with. */
const ownClassifier = 'classifier.1';
const originalClasses = 1000;

/** The network's own classifier in eval mode (no dropout): 1x1 convolution, ReLU, mean over the map: `[N, classes]`. */
function classify(builder: GraphBuilder, map: string): string {
  const scores = conv2d(builder, ownClassifier, map, { channels: originalClasses, kernel: 1 });
  return globalAveragePool(builder, relu(builder, scores));
}

/** Convolutions by kaiming_uniform_ (He et al. 2015, https://arxiv.org/abs/1502.01852), their biases 0. */
const initialise: Initialisation = (name, shapes) => {
  if (weightShapeOf(name, shapes).length !== 4) return undefined;
  if (!isConvolutionWeight(name, shapes)) return zeros;
  if (name === `${ownClassifier}.weight`) return { kind: 'normal', std: 0.01 };
  return { kind: 'uniform', bound: Math.sqrt(6 / fanIn(weightShapeOf(name, shapes))) };
};

/** SqueezeNet (Iandola et al. 2016, https://arxiv.org/abs/1602.07360) as torchvision builds it. */
export const squeezenet: Family = {
  title: 'SqueezeNet',
  variants: variantsOf(squeezenets, (name, row) => ({
    title: name.replace('squeezenet', 'SqueezeNet ').replace('_', '.'),
    features: featureCount,
    build: (builder, images) => globalAveragePool(builder, featureMap(builder, row, images)),
    buildOriginal: (builder, images) => classify(builder, featureMap(builder, row, images)),
    weights: row.weights,
  })),
  classifier: 'classifier',
  initialise,
  licence: 'BSD-3-Clause',
};
