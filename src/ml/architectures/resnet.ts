import type { GraphBuilder } from '../graph/builder.ts';
import { add, batchNorm2d, conv2d, globalAveragePool, imageShape, maxPool2d, relu } from '../graph/builder.ts';

/** What sets one ResNet apart from another: the kind of block, and how many of them each of the four stages has. */
export interface ResnetVariant {
  readonly block: 'basic' | 'bottleneck';
  readonly blocks: readonly [number, number, number, number];
}

export const resnets = {
  resnet18: { block: 'basic', blocks: [2, 2, 2, 2] },
  resnet34: { block: 'basic', blocks: [3, 4, 6, 3] },
  resnet50: { block: 'bottleneck', blocks: [3, 4, 6, 3] },
  resnet101: { block: 'bottleneck', blocks: [3, 4, 23, 3] },
  resnet152: { block: 'bottleneck', blocks: [3, 8, 36, 3] },
} as const satisfies Record<string, ResnetVariant>;

/** Channels of a block's output for each channel of its 3x3 convolutions. */
const expansion = { basic: 1, bottleneck: 4 } as const;

/** Number of features before the classifier. */
export function resnetFeatureCount(variant: ResnetVariant): number {
  return 512 * expansion[variant.block];
}

/** Two 3x3 convolutions; the first one carries the stride. */
function basicBranch(builder: GraphBuilder, name: string, x: string, channels: number, stride: number): string {
  const first = conv2d(builder, `${name}.conv1`, x, { channels, kernel: 3, stride, padding: 1, bias: false });
  const middle = relu(builder, batchNorm2d(builder, `${name}.bn1`, first));
  const second = conv2d(builder, `${name}.conv2`, middle, { channels, kernel: 3, padding: 1, bias: false });
  return batchNorm2d(builder, `${name}.bn2`, second);
}

/** 1x1, 3x3, 1x1; as in torchvision the 3x3 convolution carries the stride, where the paper has it in the first. */
function bottleneckBranch(builder: GraphBuilder, name: string, x: string, channels: number, stride: number): string {
  const first = conv2d(builder, `${name}.conv1`, x, { channels, kernel: 1, bias: false });
  const narrow = relu(builder, batchNorm2d(builder, `${name}.bn1`, first));
  const second = conv2d(builder, `${name}.conv2`, narrow, { channels, kernel: 3, stride, padding: 1, bias: false });
  const middle = relu(builder, batchNorm2d(builder, `${name}.bn2`, second));
  const wide = { channels: channels * expansion.bottleneck, kernel: 1, bias: false };
  return batchNorm2d(builder, `${name}.bn3`, conv2d(builder, `${name}.conv3`, middle, wide));
}

/** A residual block: relu(branch(x) + shortcut(x)); the shortcut is a 1x1 convolution where the shape changes. */
function residualBlock(
  builder: GraphBuilder,
  name: string,
  x: string,
  kind: ResnetVariant['block'],
  channels: number,
  stride: number,
): string {
  const branch = { basic: basicBranch, bottleneck: bottleneckBranch }[kind](builder, name, x, channels, stride);
  const width = channels * expansion[kind];
  let shortcut = x;
  if (stride !== 1 || imageShape(builder, x)[1] !== width) {
    const projection = conv2d(builder, `${name}.downsample.0`, x, { channels: width, kernel: 1, stride, bias: false });
    shortcut = batchNorm2d(builder, `${name}.downsample.1`, projection);
  }
  return relu(builder, add(builder, branch, shortcut));
}

/**
 * ResNet (He et al. 2015) up to the global average: images `[N, 3, H, W]` -> features `[N, F]`, parameters under
 * torchvision's names.
 */
export function resnetFeatures(builder: GraphBuilder, variant: ResnetVariant, images: string): string {
  let x = conv2d(builder, 'conv1', images, { channels: 64, kernel: 7, stride: 2, padding: 3, bias: false });
  x = relu(builder, batchNorm2d(builder, 'bn1', x));
  x = maxPool2d(builder, x, { kernel: 3, stride: 2, padding: 1 });
  for (const [stage, count] of variant.blocks.entries()) {
    for (let block = 0; block < count; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = residualBlock(builder, `layer${stage + 1}.${block}`, x, variant.block, 64 * 2 ** stage, stride);
    }
  }
  return globalAveragePool(builder, x);
}
