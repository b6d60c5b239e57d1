import type { GraphBuilder } from '../graph/graph.ts';
import { averagePool2d } from '../operators/pooling/averagePool.ts';
import { batchNorm2d } from '../operators/norm/batchNorm2d.ts';
import { concat } from '../operators/movement/concat.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { imageShape } from '../graph/builder.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import { relu } from '../operators/activation/relu.ts';
import { builtAlike } from './timm.ts';
import { type Family, variantsOf } from './family.ts';
import { fanIn, type Initialisation, isConvolutionWeight, weightShapeOf, zeros } from './initialise.ts';
import { hubFile, torchFile, v1, type WeightSet } from './weightSets.ts';

/** What sets one DenseNet apart from another. */
interface Densenet {
  /** Channels that each layer adds. */
  readonly growth: number;
  /** Layers of each of the four dense blocks. */
  readonly blocks: readonly [number, number, number, number];
  /** Channels of the first convolution. */
  readonly stem: number;
  readonly weights: readonly WeightSet[];
}

/** Accuracy, sizes and torch's files: https://pytorch.org/vision/stable/models.html. Hashes of the hub's: its pages. */
const densenets: Readonly<Record<string, Densenet>> = {
  densenet121: {
    growth: 32,
    blocks: [6, 12, 24, 16],
    stem: 64,
    weights: [
      v1(
        74.434,
        30.845,
        hubFile('densenet121', 'c894c6d9caa317a8ca1942986dee7a16a86c77734a4d691d2abe05389cfef358'),
        torchFile('densenet121', 'a639ec97'),
      ),
    ],
  },
  densenet161: {
    growth: 48,
    blocks: [6, 12, 36, 24],
    stem: 96,
    weights: [
      v1(
        77.138,
        110.369,
        hubFile('densenet161', 'f9ee24e6d30ab3405d9c468040f74e2de66675126eee9ec9ec15826b5a0619d3', {
          revision: '359c7ecf29a2da61381f4725fe59889ca80ad29b',
          file: 'pytorch_model.bin',
        }),
        torchFile('densenet161', '8d451a50'),
      ),
    ],
  },
  densenet169: {
    growth: 32,
    blocks: [6, 12, 32, 32],
    stem: 64,
    weights: [v1(75.6, 54.708, torchFile('densenet169', 'b2777c0a'))],
  },
  densenet201: {
    growth: 32,
    blocks: [6, 12, 48, 32],
    stem: 64,
    weights: [v1(76.896, 77.373, torchFile('densenet201', 'c1103571'))],
  },
};

/** Number of features before the classifier. */
function featureCount({ growth, blocks, stem }: Densenet): number {
  return blocks.reduce(
    (channels, layers, block) => Math.floor(channels / (block === 0 ? 1 : 2)) + layers * growth,
    stem,
  );
}

/** norm, relu, 1x1 convolution to four times the growth, norm, relu, 3x3 convolution to the growth. */
function denseLayer(builder: GraphBuilder, name: string, x: string, growth: number): string {
  const first = relu(builder, batchNorm2d(builder, `${name}.norm1`, x));
  const narrow = conv2d(builder, `${name}.conv1`, first, { channels: 4 * growth, kernel: 1, bias: false });
  const second = relu(builder, batchNorm2d(builder, `${name}.norm2`, narrow));
  return conv2d(builder, `${name}.conv2`, second, { channels: growth, kernel: 3, padding: 1, bias: false });
}

/**
 * Halves the channels by a 1x1 convolution, and height and width by an average. torchvision takes the average last; the two
 * commute, and this way the convolution has a quarter of the pixels, a twelfth of DenseNet-169's products less.
 */
function transition(builder: GraphBuilder, name: string, x: string): string {
  const channels = Math.floor(imageShape(builder, x)[1] / 2);
  const normed = relu(builder, batchNorm2d(builder, `${name}.norm`, x));
  const halved = averagePool2d(builder, normed, { kernel: 2, stride: 2 });
  return conv2d(builder, `${name}.conv`, halved, { channels, kernel: 1, bias: false });
}

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map. */
function build(builder: GraphBuilder, { growth, blocks, stem }: Densenet, images: string): string {
  const first = { channels: stem, kernel: 7, stride: 2, padding: 3, bias: false };
  let x = conv2d(builder, 'features.conv0', images, first);
  x = relu(builder, batchNorm2d(builder, 'features.norm0', x));
  x = maxPool2d(builder, x, { kernel: 3, stride: 2, padding: 1 });
  for (const [index, layers] of blocks.entries()) {
    if (index > 0) x = transition(builder, `features.transition${index}`, x);
    for (let layer = 1; layer <= layers; layer++) {
      const name = `features.denseblock${index + 1}.denselayer${layer}`;
      // One join a layer of what there was and what is new: the same values as joining all layers anew, fewer nodes.
      x = concat(builder, [x, denseLayer(builder, name, x, growth)]);
    }
  }
  return globalAveragePool(builder, relu(builder, batchNorm2d(builder, 'features.norm5', x)));
}

/** The network's own classifier; a head in its place has longer names and torch's defaults. */
const ownBias = 'classifier.bias';

/** Convolutions by kaiming_normal_ over fan_in (He et al. 2015, https://arxiv.org/abs/1502.01852). */
const initialise: Initialisation = (name, shapes) => {
  if (name === ownBias) return zeros;
  if (!isConvolutionWeight(name, shapes)) return undefined;
  return { kind: 'normal', std: Math.sqrt(2 / fanIn(weightShapeOf(name, shapes))) };
};

const variants = variantsOf(densenets, (name, row) => ({
  title: name.replace('densenet', 'DenseNet-'),
  features: featureCount(row),
  build: (builder, images) => build(builder, row, images),
  weights: row.weights,
  timm: { architecture: name, num_features: featureCount(row) },
}));

/** DenseNet-BC (Huang et al. 2016, https://arxiv.org/abs/1608.06993) as torchvision builds it. */
export const densenet: Family = {
  title: 'DenseNet',
  variants,
  fromTimm: builtAlike(variants),
  classifier: 'classifier',
  initialise,
  licence: 'BSD-3-Clause',
};
