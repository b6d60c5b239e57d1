import { append } from '../../graph/builder.ts';
import { typeOf, type Axes, type GraphBuilder } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { gradientBy, none, operator, type None, type OperatorRecord } from '../operator.ts';
import { fromDeviceOrder, toDeviceOrder } from '../tensorflow.ts';

export interface Reshape {
  readonly shape: readonly number[];
  /** What the axes of the result are. */
  readonly axes: Axes;
}

/** x -> the same values in another shape */
export const reshapeOperator: OperatorRecord<Reshape> = operator<Reshape>('reshape', {
  shape([x], { shape, axes }) {
    if (!x || elementCount(x.shape) !== elementCount(shape)) {
      throw new Error(`[${x?.shape.join(', ') ?? ''}] does not fit the shape [${shape.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape, axes }];
  },
  gradient(builder, node, dy) {
    const { shape, axes } = typeOf(builder, node.inputs[0] ?? '');
    return gradientBy(builder, node, reshapeOperator, { shape, axes }, [dy]);
  },
  onnx({ emit, integers }, { inputs, attributes, outputs }) {
    emit('Reshape', [...inputs, integers(attributes.shape)], {}, outputs[0]);
  },
  tensorflow(tf, input, { attributes, inputs: [x] }) {
    const ordered = x ? fromDeviceOrder(tf, input(0), x) : input(0);
    return toDeviceOrder(tf, tf.reshape(ordered, [...attributes.shape]), attributes);
  },
  reference: (input) => input(0).slice(),
  samples: {
    'rows to tokens': { attributes: { shape: [2, 3, 4], axes: 'plain' }, inputs: [{ shape: [6, 4] }] },
    'an image to tokens': {
      attributes: { shape: [2, 4, 15], axes: 'plain' },
      inputs: [{ shape: [2, 4, 3, 5], axes: 'image' }],
    },
    'tokens to an image': {
      attributes: { shape: [2, 4, 3, 5], axes: 'image' },
      inputs: [{ shape: [2, 4, 15] }],
    },
  },
});

/** The same values in another shape; what has four dimensions is an image if `axes` says so. */
export function reshape(builder: GraphBuilder, x: string, shape: readonly number[], axes: Axes = 'plain'): string {
  return append(builder, reshapeOperator, { shape, axes }, [x]);
}

/** x `[N, ...]` -> y `[N, product]` */
export const flattenOperator = operator<None>('flatten', {
  shape([x]) {
    const [n = 1, ...rest] = x?.shape ?? [];
    return [{ dtype: x?.dtype ?? 'float32', shape: [n, elementCount(rest)], axes: 'plain' }];
  },
  gradient(builder, node, dy) {
    const { shape, axes } = typeOf(builder, node.inputs[0] ?? '');
    return gradientBy(builder, node, reshapeOperator, { shape, axes }, [dy]);
  },
  onnx({ emit }, { inputs, outputs }) {
    emit('Flatten', inputs, { axis: 1 }, outputs[0]);
  },
  /** torch flattens `[C, H, W]`, so channels come first again before the map is made a row. */
  tensorflow(tf, input, { inputs: [x], outputs: [y] }) {
    return tf.reshape(x ? fromDeviceOrder(tf, input(0), x) : input(0), [...(y?.shape ?? [])]);
  },
  reference: (input) => input(0).slice(),
  samples: { 'an image': { attributes: none, inputs: [{ shape: [2, 4, 3, 2], axes: 'image' }] } },
});

export function flatten(builder: GraphBuilder, x: string): string {
  return append(builder, flattenOperator, none, [x]);
}
