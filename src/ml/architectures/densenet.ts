import type { GraphBuilder } from '../graph/builder.ts';
import {
  averagePool2d,
  batchNorm2d,
  concat,
  conv2d,
  globalAveragePool,
  imageShape,
  maxPool2d,
  relu,
} from '../graph/builder.ts';

/** What sets one DenseNet apart from another. */
export interface DensenetVariant {
  /** Channels that each layer adds. */
  readonly growth: number;
  /** Layers of each of the four dense blocks. */
  readonly blocks: readonly [number, number, number, number];
  /** Channels of the first convolution. */
  readonly stem: number;
}

export const densenets = {
  densenet121: { growth: 32, blocks: [6, 12, 24, 16], stem: 64 },
  densenet161: { growth: 48, blocks: [6, 12, 36, 24], stem: 96 },
  densenet169: { growth: 32, blocks: [6, 12, 32, 32], stem: 64 },
  densenet201: { growth: 32, blocks: [6, 12, 48, 32], stem: 64 },
} as const satisfies Record<string, DensenetVariant>;

/** Number of features before the classifier. */
export function densenetFeatureCount({ growth, blocks, stem }: DensenetVariant): number {
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

/** Halves the channels by a 1x1 convolution, and height and width by an average. */
function transition(builder: GraphBuilder, name: string, x: string): string {
  const channels = Math.floor(imageShape(builder, x)[1] / 2);
  const normed = relu(builder, batchNorm2d(builder, `${name}.norm`, x));
  const halved = conv2d(builder, `${name}.conv`, normed, { channels, kernel: 1, bias: false });
  return averagePool2d(builder, halved, { kernel: 2, stride: 2 });
}

/**
 * DenseNet-BC (Huang et al. 2016) up to the global average: images `[N, 3, H, W]` -> features `[N, F]`, parameters
 * under torchvision's names.
 */
export function densenetFeatures(builder: GraphBuilder, variant: DensenetVariant, images: string): string {
  const { growth, blocks, stem } = variant;
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
