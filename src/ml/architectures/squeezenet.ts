import type { GraphBuilder } from '../graph/builder.ts';
import { concat, conv2d, globalAveragePool, maxPool2d, relu } from '../graph/builder.ts';

/** A Fire module by the channels of its squeeze and of each of its two expansions, or a max pool. */
type Stage = readonly [squeeze: number, expand: number] | 'pool';

/** What sets the two SqueezeNets apart: the first convolution, and where the pools lie. */
export interface SqueezenetVariant {
  readonly channels: number;
  readonly kernel: number;
  readonly stages: readonly Stage[];
}

export const squeezenets = {
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
  },
} as const satisfies Record<string, SqueezenetVariant>;

/** Number of features before the classifier. */
export const squeezenetFeatureCount = 512;

/** 1x1 convolution to `squeeze` channels, then a 1x1 and a 3x3 one to `expand` each, joined; ReLU after all three. */
function fire(builder: GraphBuilder, name: string, x: string, squeeze: number, expand: number): string {
  const squeezed = relu(builder, conv2d(builder, `${name}.squeeze`, x, { channels: squeeze, kernel: 1 }));
  const point = relu(builder, conv2d(builder, `${name}.expand1x1`, squeezed, { channels: expand, kernel: 1 }));
  const wide = conv2d(builder, `${name}.expand3x3`, squeezed, { channels: expand, kernel: 3, padding: 1 });
  return concat(builder, [point, relu(builder, wide)]);
}

/**
 * SqueezeNet (Iandola et al. 2016) up to its last Fire module: images `[N, 3, H, W]` -> map `[N, 512, h, w]`, parameters
 * under torchvision's names.
 */
export function squeezenetFeatureMap(builder: GraphBuilder, variant: SqueezenetVariant, images: string): string {
  const { channels, kernel, stages } = variant;
  let x = relu(builder, conv2d(builder, 'features.0', images, { channels, kernel, stride: 2 }));
  for (const [index, stage] of stages.entries()) {
    x =
      stage === 'pool'
        ? maxPool2d(builder, x, { kernel: 3, stride: 2, ceilMode: true })
        : fire(builder, `features.${index + 2}`, x, ...stage);
  }
  return x;
}

/** SqueezeNet's own classifier in eval mode (no dropout): 1x1 convolution to `classes`, ReLU, global average: `[N, classes]`. */
export function squeezenetClassifier(builder: GraphBuilder, map: string, classes: number): string {
  return globalAveragePool(
    builder,
    relu(builder, conv2d(builder, 'classifier.1', map, { channels: classes, kernel: 1 })),
  );
}
