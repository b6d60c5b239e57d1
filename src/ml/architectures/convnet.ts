import type { GraphBuilder } from '../graph/builder.ts';
import { batchNorm2d, conv2d, globalAveragePool, relu } from '../graph/builder.ts';

/** Channels of every map, and so the number of features before the classifier. */
export const convnetChannels = 64;

/**
 * The course report's ConvNetN up to the global average: images `[N, 3, H, W]` -> features `[N, 64]`. A 7x7 convolution
 * of stride 2 and batch norm, then `blocks` times conv 3x3, batch norm, ReLU, conv 3x3, batch norm; as in the report
 * there is no skip, no pooling before the average, and no ReLU between blocks.
 */
export function convnetFeatures(builder: GraphBuilder, blocks: number, images: string): string {
  const channels = convnetChannels;
  const conv = { channels, kernel: 3, padding: 1, bias: false };
  let x = conv2d(builder, 'conv1', images, { channels, kernel: 7, stride: 2, padding: 3, bias: false });
  x = batchNorm2d(builder, 'batchnorm', x);
  for (let block = 1; block <= blocks; block++) {
    const name = `layer${block}`;
    x = relu(builder, batchNorm2d(builder, `${name}.1`, conv2d(builder, `${name}.0`, x, conv)));
    x = batchNorm2d(builder, `${name}.4`, conv2d(builder, `${name}.3`, x, conv));
  }
  return globalAveragePool(builder, x);
}
