import { append } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { compare, div, mul } from '../elementwise/arithmetic.ts';
import { affine } from '../elementwise/affine.ts';
import { operator, shapeOf } from '../operator.ts';
import { reducedType, reduceDoubles, reduceOnDevice, withAxesKept, type Reduction } from './reduction.ts';
import { expand, sum } from './reduceSum.ts';

/** x -> the means over the axes */
export const reduceMean = operator<Reduction>('reduceMean', {
  shape: reducedType,
  gradient(builder, node, dy) {
    const [x = ''] = node.inputs;
    const shape = shapeOf(builder, x);
    const count = node.attributes.axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
    const share = affine(builder, withAxesKept(builder, node, dy), { scale: 1 / count });
    return [[x, expand(builder, share, shape)]];
  },
  onnx({ emit }, { inputs, attributes: { axes, keepDims }, outputs }) {
    emit('ReduceMean', inputs, { axes, keepdims: keepDims ? 1 : 0 }, outputs[0]);
  },
  tensorflow: (tf, input, run) => reduceOnDevice(tf, input(0), run, (x, axes) => tf.mean(x, axes, true)),
  reference: (input, run) =>
    reduceDoubles(input(0), run, (values) => values.reduce((total, value) => total + value, 0) / values.length),
  samples: {
    'the last axis': { attributes: { axes: [2], keepDims: true }, inputs: [{ shape: [2, 3, 4] }] },
    'two axes that vanish': { attributes: { axes: [0, 2], keepDims: false }, inputs: [{ shape: [2, 3, 4] }] },
    'channels of an image': {
      attributes: { axes: [1], keepDims: true },
      inputs: [{ shape: [2, 3, 4, 5], axes: 'image' }],
    },
  },
});

/** x -> the largest values over the axes; equal ones share the gradient, as torch's amax does */
export const reduceMax = operator<Reduction>('reduceMax', {
  shape: reducedType,
  gradient(builder, node, dy) {
    const [x = ''] = node.inputs;
    const [y, incoming] = [node.outputs[0] ?? '', dy].map((value) => withAxesKept(builder, node, value));
    const chosen = compare(builder, x, y ?? '', 'equal');
    const share = div(builder, incoming ?? '', sum(builder, chosen, node.attributes.axes));
    return [[x, mul(builder, chosen, share)]];
  },
  onnx({ emit }, { inputs, attributes: { axes, keepDims }, outputs }) {
    emit('ReduceMax', inputs, { axes, keepdims: keepDims ? 1 : 0 }, outputs[0]);
  },
  tensorflow: (tf, input, run) => reduceOnDevice(tf, input(0), run, (x, axes) => tf.max(x, axes, true)),
  reference: (input, run) => reduceDoubles(input(0), run, (values) => Math.max(...values)),
  smooth(input, run, margin) {
    let distinct = true;
    reduceDoubles(input(0), run, (values) => {
      const sorted = [...values].sort((a, b) => a - b);
      distinct &&= sorted.every((value, index) => index === 0 || value - (sorted[index - 1] ?? NaN) > margin);
      return 0;
    });
    return distinct;
  },
  samples: {
    'the last axis': { attributes: { axes: [2], keepDims: true }, inputs: [{ shape: [2, 3, 4] }] },
    'two axes that vanish': { attributes: { axes: [0, 2], keepDims: false }, inputs: [{ shape: [2, 3, 4] }] },
  },
});

/** The means over the axes, which stay with length 1. */
export function mean(builder: GraphBuilder, x: string, axes: readonly number[]): string {
  return append(builder, reduceMean, { axes, keepDims: true }, [x]);
}

/** The largest values over the axes, which stay with length 1. */
export function largest(builder: GraphBuilder, x: string, axes: readonly number[]): string {
  return append(builder, reduceMax, { axes, keepDims: true }, [x]);
}
