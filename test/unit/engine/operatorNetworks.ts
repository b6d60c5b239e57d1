import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { input } from '../../../src/ml/graph/builder.ts';
import { averagePool2d } from '../../../src/ml/operators/pooling/averagePool.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { dropout } from '../../../src/ml/operators/elementwise/dropout.ts';
import { flatten } from '../../../src/ml/operators/movement/reshape.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { maxPool2d } from '../../../src/ml/operators/pooling/maxPool.ts';
import { normalize } from '../../../src/ml/operators/elementwise/normalize.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';

const rank4 = (builder: GraphBuilder, channels = 4, height = 7, width = 6) =>
  input(builder, 'x', [2, channels, height, width]);

function generalConvolution(
  builder: GraphBuilder,
  options: { groups: number; dilation: [number, number]; stride: [number, number] },
) {
  const kernel = [3, 2] as const;
  return conv2d(builder, 'c', rank4(builder, 4, 9, 8), {
    ...options,
    channels: 8,
    kernel,
    padding: [2, 1],
    bias: false,
  });
}

/** Every forward operator that an engine must compute: each builds one, or a few, on inputs of its own. */
export const operatorNetworks: Record<string, (builder: GraphBuilder) => string> = {
  'a convolution with stride 2 and padding': (b) =>
    conv2d(b, 'c', rank4(b), { channels: 3, kernel: 3, stride: 2, padding: 1 }),
  'a convolution without bias': (b) => conv2d(b, 'c', rank4(b), { channels: 3, kernel: 1, bias: false }),
  'a convolution in groups': (b) => generalConvolution(b, { groups: 2, dilation: [1, 1], stride: [2, 1] }),
  'a depthwise convolution': (b) => generalConvolution(b, { groups: 4, dilation: [1, 1], stride: [1, 1] }),
  'a dilated convolution': (b) => generalConvolution(b, { groups: 1, dilation: [2, 3], stride: [1, 2] }),
  'batch norm by running statistics': (b) => batchNorm2d(b, 'n', rank4(b)),
  'batch norm by the batch': (b) => batchNorm2d({ ...b, batchNorm: 'batch' }, 'n', rank4(b)),
  ReLU: (b) => relu(b, rank4(b)),
  'max pooling with padding': (b) => maxPool2d(b, rank4(b), { kernel: 3, stride: 2, padding: 1 }),
  'max pooling in ceil mode': (b) => maxPool2d(b, rank4(b, 4, 8, 6), { kernel: 3, stride: 2, ceilMode: true }),
  'max pooling that leaves a border out': (b) => maxPool2d(b, rank4(b, 4, 8, 7), { kernel: 2, stride: 3 }),
  'average pooling with padding': (b) => averagePool2d(b, rank4(b), { kernel: 3, stride: 2, padding: 1 }),
  'average pooling in ceil mode with padding': (b) =>
    averagePool2d(b, rank4(b, 4, 8, 9), { kernel: 3, stride: 2, padding: 1, ceilMode: true }),
  'global average pooling': (b) => globalAveragePool(b, rank4(b)),
  concatenation: (b) => {
    const x = rank4(b);
    return concat(b, [x, relu(b, x), x]);
  },
  addition: (b) => {
    const x = rank4(b);
    return add(b, x, relu(b, x));
  },
  flattening: (b) => flatten(b, rank4(b)),
  'a linear layer': (b) => linear(b, 'l', input(b, 'x', [3, 5]), 4),
  dropout: (b) => dropout(b, 'd', input(b, 'x', [3, 5]), 0.5),
  'log-softmax': (b) => logSoftmax(b, input(b, 'x', [3, 5])),
  'normalisation of bytes': (b) =>
    normalize(b, input(b, 'x', [2, 3, 4, 5], 'uint8'), { scale: [0.1, 0.2, 0.3], shift: [-1, 0, 2], order: [2, 1, 0] }),
};
