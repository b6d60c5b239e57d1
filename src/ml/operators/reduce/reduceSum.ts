import { append } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { combineDoubles } from '../elementwise/broadcast.ts';
import { reshape } from '../movement/reshape.ts';
import { gradientBy, operator } from '../operator.ts';
import { fromDeviceOrder, toDeviceOrder } from '../tensorflow.ts';
import { reducedType, reduceDoubles, reduceOnDevice, withAxesKept, type Reduction } from './reduction.ts';

/** x -> the sums over the axes */
export const reduceSum = operator<Reduction>('reduceSum', {
  shape: reducedType,
  gradient(builder, node, dy) {
    const { shape } = typeOf(builder, node.inputs[0] ?? '');
    return gradientBy(builder, node, expandOperator, { shape }, [withAxesKept(builder, node, dy)]);
  },
  onnx({ emit, integers }, { inputs: [x = ''], attributes: { axes, keepDims }, outputs }) {
    emit('ReduceSum', [x, integers(axes)], { keepdims: keepDims ? 1 : 0 }, outputs[0]);
  },
  tensorflow: (tf, input, run) => reduceOnDevice(tf, input(0), run, (x, axes) => tf.sum(x, axes, true)),
  reference: (input, run) => reduceDoubles(input(0), run, (values) => values.reduce((sum, value) => sum + value, 0)),
  samples: {
    'the last axis': { attributes: { axes: [2], keepDims: true }, inputs: [{ shape: [2, 3, 4] }] },
    'two axes that vanish': { attributes: { axes: [0, 2], keepDims: false }, inputs: [{ shape: [2, 3, 4] }] },
    'height and width': {
      attributes: { axes: [2, 3], keepDims: true },
      inputs: [{ shape: [2, 3, 4, 5], axes: 'image' }],
    },
    'all but the channels': {
      attributes: { axes: [0, 2, 3], keepDims: false },
      inputs: [{ shape: [2, 3, 4, 5], axes: 'image' }],
    },
  },
});

/** x -> x broadcast to a shape of as many axes */
export const expandOperator = operator<{ readonly shape: readonly number[] }>('expand', {
  shape([x], { shape }) {
    if (x?.shape.length !== shape.length || x.shape.some((size, axis) => size !== 1 && size !== shape[axis])) {
      throw new Error(`[${x?.shape.join(', ') ?? ''}] does not broadcast to [${shape.join(', ')}]`);
    }
    return [{ ...x, shape }];
  },
  gradient(builder, { inputs: [x = ''] }, dy) {
    return [[x, sumTo(builder, dy, x)]];
  },
  onnx({ emit, integers }, { inputs, attributes: { shape }, outputs }) {
    emit('Expand', [...inputs, integers(shape)], {}, outputs[0]);
  },
  tensorflow(tf, input, { attributes: { shape }, inputs: [x] }) {
    const type = x ?? { axes: 'plain' };
    return toDeviceOrder(tf, tf.broadcastTo(fromDeviceOrder(tf, input(0), type), [...shape]), type);
  },
  reference: (input, run) => combineDoubles(input, run, (value = NaN) => value),
  samples: {
    'rows from one': { attributes: { shape: [3, 4] }, inputs: [{ shape: [1, 4] }] },
    'a map from a value a channel': {
      attributes: { shape: [2, 3, 4, 5] },
      inputs: [{ shape: [2, 3, 1, 1], axes: 'image' }],
    },
  },
});

/** Sums a gradient over the axes along which `value` was broadcast, so that it has the value's shape. */
export function sumTo(builder: GraphBuilder, gradient: string, value: string): string {
  const from = typeOf(builder, gradient).shape;
  const { shape, axes } = typeOf(builder, value);
  if (from.join() === shape.join()) return gradient;
  const added = from.length - shape.length;
  const summed = from.flatMap((size, axis) =>
    axis < added || (shape[axis - added] === 1 && size !== 1) ? [axis] : [],
  );
  const sum = append(builder, reduceSum, { axes: summed, keepDims: true }, [gradient]);
  return added === 0 ? sum : reshape(builder, sum, shape, axes);
}

/** The same values along axes of length 1, repeated to `shape`. Appended for one image too: names do not depend on the batch. */
export function expand(builder: GraphBuilder, x: string, shape: readonly number[]): string {
  return append(builder, expandOperator, { shape }, [x]);
}

/** The sums over the axes, which stay with length 1. */
export function sum(builder: GraphBuilder, x: string, axes: readonly number[]): string {
  return append(builder, reduceSum, { axes, keepDims: true }, [x]);
}
