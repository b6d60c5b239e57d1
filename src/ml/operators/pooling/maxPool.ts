import { append } from '../../graph/builder.ts';
import type { Pooling } from '../../graph/geometry.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { withRecomputed } from '../../lowering/blocked/recompute.ts';
import { gradientBy, likeFirst, operator, trainingOperator } from '../operator.ts';
import { sizesOf } from '../references.ts';
import { asImage } from '../tensorflow.ts';
import { lowerBlockedMaxPoolGradient } from './blockedMaxPoolGradient.ts';
import { interleavePlain, maxPoolGradientOfPlanes } from './maxPoolPlanes.ts';
import {
  lowerBlockedPool,
  poolDoubles,
  pooledType,
  poolingAttributes,
  poolingOf,
  type PoolingOptions,
} from './pooling.ts';
import { maxPool } from './tensorflowPooling.ts';

/** x -> y; padding never wins. */
export const maxPoolOperator = operator<Pooling>('maxPool', {
  shape: pooledType,
  gradient: (builder, node, dy) =>
    gradientBy(builder, node, maxPoolGradient, node.attributes, [dy, ...node.inputs, ...node.outputs]),
  onnx(lowering, { inputs, attributes, outputs }) {
    lowering.emit('MaxPool', inputs, poolingAttributes(attributes), outputs[0]);
  },
  blocked(lowering, { inputs, attributes, outputs }) {
    lowerBlockedPool(lowering, 'MaxPool', inputs, poolingAttributes(attributes), outputs[0]);
    return true;
  },
  tensorflow: (tf, input, { attributes }) => maxPool(tf, asImage(input(0)), attributes),
  reference: (input, run) => poolDoubles(input(0), run, -Infinity, (window) => Math.max(...window)),
  /** No two values of one map are near each other, so that none of its windows has two largest. */
  smooth(input, { inputs }, margin) {
    const [, , h, w] = sizesOf(inputs[0]);
    const x = input(0);
    for (let start = 0; start < x.length; start += h * w) {
      const sorted = x.slice(start, start + h * w).sort();
      if (sorted.some((value, index) => index > 0 && value - (sorted[index - 1] ?? NaN) <= margin)) return false;
    }
    return true;
  },
  samples: {
    padding: sample([2, 4, 7, 6], { kernel: 3, stride: 2, padding: 1 }),
    'ceil mode': sample([2, 4, 8, 6], { kernel: 3, stride: 2, ceilMode: true }),
    'a border that is left out': sample([2, 4, 8, 7], { kernel: 2, stride: 3 }),
    'stride 1': sample([1, 3, 5, 4], { kernel: 3, stride: 1, padding: 1 }),
    'a window that is not square': sample([2, 3, 7, 6], { kernel: [2, 3], stride: [1, 2] }),
  },
});

function sample(shape: readonly number[], options: PoolingOptions) {
  return { attributes: poolingOf(options), inputs: [{ shape, axes: 'image' }] } as const;
}

/** dy, x, y -> dx; a tie gives the gradient once, to the first in scan order, as torch does */
export const maxPoolGradient = trainingOperator<Pooling>('maxPoolGradient', {
  shape: ([, x]) => likeFirst(x ? [x] : []),
  onnx(lowering, node) {
    const [dy = '', x = '', y = ''] = node.inputs;
    const { gradients, size } = maxPoolGradientOfPlanes(lowering, node, { dy, x, y }, [2, 3]);
    interleavePlain(lowering, node, gradients, size);
  },
  blocked(lowering, node) {
    const [dy = '', x = ''] = node.inputs;
    withRecomputed(lowering, x, dy, () => {
      lowerBlockedMaxPoolGradient(lowering, node);
    });
    return true;
  },
});

/** torch's MaxPool2d: `[N, C, H, W]` -> `[N, C, H', W']`. */
export function maxPool2d(builder: GraphBuilder, x: string, options: PoolingOptions): string {
  return append(builder, maxPoolOperator, poolingOf(options), [x]);
}
