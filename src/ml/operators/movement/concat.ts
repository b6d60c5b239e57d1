import { append } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder, type Gradient } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { readBlocked } from '../../lowering/blocked/blockedLayout.ts';
import { operator } from '../operator.ts';
import { deviceAxis } from '../tensorflow.ts';
import { sliceOperator } from './slice.ts';

export interface Joined {
  readonly axis: number;
}

/** a, b, ... -> y, joined along an axis */
export const concatOperator = operator<Joined>('concat', {
  shape(types, { axis }) {
    const [first] = types;
    if (!first) throw new Error('nothing to concatenate');
    const fits = types.every(
      ({ shape, axes }) =>
        axes === first.axes && shape.every((size, index) => index === axis || size === first.shape[index]),
    );
    if (!fits)
      throw new Error(`[${types.map(({ shape }) => shape.join(', ')).join('] and [')}] do not join along axis ${axis}`);
    const length = types.reduce((total, { shape }) => total + (shape[axis] ?? 0), 0);
    return [{ ...first, shape: first.shape.map((size, index) => (index === axis ? length : size)) }];
  },
  gradient(builder, { inputs, attributes: { axis } }, dy, needed) {
    const gradients: Gradient[] = [];
    let start = 0;
    for (const value of inputs) {
      const end = start + (typeOf(builder, value).shape[axis] ?? 0);
      if (needed(value)) gradients.push([value, append(builder, sliceOperator, { axis, start, end }, [dy])]);
      start = end;
    }
    return gradients;
  },
  onnx(lowering, { inputs, attributes: { axis }, outputs }) {
    const [output = ''] = outputs;
    if (axis === 1 && (lowering.block === 0 || lowering.layouts.images.has(output))) lowering.joins.set(output, inputs);
    lowering.emit('Concat', inputs, { axis }, output);
  },
  suitsBlocks: (_, { attributes }) => attributes.axis <= 1,
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  tensorflow(tf, input, { attributes: { axis }, inputs }) {
    const [first] = inputs;
    return tf.concat(
      inputs.map((_, index) => input(index)),
      deviceAxis(first ?? { axes: 'plain' }, axis),
    );
  },
  reference(input, { attributes: { axis }, inputs, outputs: [output] }) {
    const outer = elementCount(output?.shape.slice(0, axis) ?? []);
    const rows = inputs.map(({ shape }, index) => ({ data: input(index), size: elementCount(shape.slice(axis)) }));
    return Float64Array.from(
      Array.from({ length: outer }, (_, row) =>
        rows.flatMap(({ data, size }) => [...data.slice(row * size, (row + 1) * size)]),
      ).flat(),
    );
  },
  samples: {
    'maps along their channels': {
      attributes: { axis: 1 },
      inputs: [
        { shape: [2, 3, 4, 2], axes: 'image' },
        { shape: [2, 1, 4, 2], axes: 'image' },
      ],
    },
    tokens: { attributes: { axis: 1 }, inputs: [{ shape: [2, 1, 4] }, { shape: [2, 3, 4] }] },
    'the last axis': { attributes: { axis: 2 }, inputs: [{ shape: [2, 3, 1] }, { shape: [2, 3, 4] }] },
  },
});

/** Joins values along an axis: maps along their channels by default. */
export function concat(builder: GraphBuilder, values: readonly string[], axis = 1): string {
  return append(builder, concatOperator, { axis }, values);
}
