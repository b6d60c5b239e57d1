import type { GraphBuilder } from '../graph/graph.ts';
import { batchNorm2d } from '../operators/norm/batchNorm2d.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { relu } from '../operators/activation/relu.ts';
import type { Family, Variant } from './family.ts';
import { torchDefaults } from './initialise.ts';

/** Channels of every map, and so the number of features before the classifier. */
const channels = 64;

/**
 * Images `[N, 3, H, W]` -> features `[N, 64]`. A 7x7 convolution of stride 2 and batch norm, then `blocks` times conv
 * 3x3, batch norm, ReLU, conv 3x3, batch norm; as in the report there is no skip, no pooling before the average, and no
 * ReLU between blocks.
 */
function build(builder: GraphBuilder, blocks: number, images: string): string {
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

function variant(blocks: number): Variant {
  return {
    title: `ConvNet${blocks}`,
    features: channels,
    build: (builder, images) => build(builder, blocks, images),
    weights: [],
  };
}

/** The course report's ConvNetN, for any depth N from 1 to 999. */
export const convnet: Family = {
  title: 'ConvNet',
  variants: { ConvNet1: variant(1), ConvNet2: variant(2), ConvNet3: variant(3) },
  unlisted: (name) => {
    const depth = /^ConvNet([1-9]\d{0,2})$/.exec(name)?.[1];
    return depth === undefined ? undefined : variant(Number(depth));
  },
  classifier: 'fc',
  initialise: torchDefaults,
};
