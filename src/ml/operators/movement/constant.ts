import { append } from '../../graph/builder.ts';
import { floats, type Axes, type GraphBuilder } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { operator } from '../operator.ts';
import { toDeviceOrder } from '../tensorflow.ts';

export interface Constant {
  readonly shape: readonly number[];
  readonly axes: Axes;
  readonly values: readonly number[];
}

/** nothing -> values that are part of the network, and not of its state */
export const constantOperator = operator<Constant>('literal', {
  shape(_, { shape, axes, values }) {
    if (values.length !== elementCount(shape))
      throw new Error(`${values.length} values do not fill [${shape.join(', ')}]`);
    return [floats(shape, axes)];
  },
  onnx(lowering, { attributes: { shape, values }, outputs }) {
    lowering.emit('Identity', [lowering.floats(values, shape)], {}, outputs[0]);
  },
  tensorflow: (tf, _, { attributes }) =>
    toDeviceOrder(tf, tf.tensor([...attributes.values], [...attributes.shape]), attributes),
  reference: (_, { attributes }) => Float64Array.from(attributes.values, Math.fround),
  // It reads nothing to run on by itself; the attention over shifted windows is its test.
  samples: {},
});

/** Values that are part of the network, such as the mask of an attention over shifted windows. */
export function constant(builder: GraphBuilder, shape: readonly number[], values: readonly number[]): string {
  return append(builder, constantOperator, { shape, axes: 'plain', values }, []);
}
