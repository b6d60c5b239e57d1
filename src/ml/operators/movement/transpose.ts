import { append } from '../../graph/builder.ts';
import { typeOf, type Axes, type GraphBuilder } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { gradientBy, operator, type OperatorRecord } from '../operator.ts';
import { fromDeviceOrder, toDeviceOrder } from '../tensorflow.ts';

export interface Transpose {
  /** The axis of the input that each axis of the result is. */
  readonly permutation: readonly number[];
  /** What the axes of the result are. */
  readonly axes: Axes;
}

/** x -> x with its axes in another order */
export const transposeOperator: OperatorRecord<Transpose> = operator<Transpose>('transpose', {
  shape([x], { permutation, axes }) {
    const sorted = [...permutation].sort((a, b) => a - b);
    if (sorted.length !== x?.shape.length || sorted.some((axis, index) => axis !== index)) {
      throw new Error(`[${permutation.join(', ')}] does not order the axes of [${x?.shape.join(', ') ?? ''}]`);
    }
    return [{ dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis] ?? 1), axes }];
  },
  gradient(builder, node, dy) {
    const { permutation } = node.attributes;
    const { axes } = typeOf(builder, node.inputs[0] ?? '');
    const back = permutation.map((_, axis) => permutation.indexOf(axis));
    return gradientBy(builder, node, transposeOperator, { permutation: back, axes }, [dy]);
  },
  onnx({ emit }, { inputs, attributes, outputs }) {
    emit('Transpose', inputs, { perm: attributes.permutation }, outputs[0]);
  },
  tensorflow(tf, input, { attributes, inputs: [x] }) {
    const ordered = x ? fromDeviceOrder(tf, input(0), x) : input(0);
    return toDeviceOrder(tf, tf.transpose(ordered, [...attributes.permutation]), attributes);
  },
  reference(input, { attributes: { permutation }, inputs: [from], outputs: [to] }) {
    const sizes = from?.shape ?? [];
    const steps = sizes.map((_, axis) => elementCount(sizes.slice(axis + 1)));
    const shape = to?.shape ?? [];
    const x = input(0);
    return x.map((_, element) => {
      let [rest, place] = [element, 0];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        place += (rest % (shape[axis] ?? 1)) * (steps[permutation[axis] ?? 0] ?? 0);
        rest = Math.floor(rest / (shape[axis] ?? 1));
      }
      return x[place] ?? NaN;
    });
  },
  samples: {
    'the heads of attention': {
      attributes: { permutation: [0, 2, 1, 3], axes: 'plain' },
      inputs: [{ shape: [2, 3, 4, 2] }],
    },
    'an image to channels last': {
      attributes: { permutation: [0, 2, 3, 1], axes: 'plain' },
      inputs: [{ shape: [2, 3, 4, 5], axes: 'image' }],
    },
    'channels last to an image': {
      attributes: { permutation: [0, 3, 1, 2], axes: 'image' },
      inputs: [{ shape: [2, 4, 5, 3] }],
    },
  },
});

/** The value with its axes in another order; what has four dimensions is an image if `axes` says so. */
export function transpose(
  builder: GraphBuilder,
  x: string,
  permutation: readonly number[],
  axes: Axes = 'plain',
): string {
  return append(builder, transposeOperator, { permutation, axes }, [x]);
}
