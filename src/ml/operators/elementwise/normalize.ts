import { append, imageShape, sizesOfImage } from '../../graph/builder.ts';
import { floats, type GraphBuilder } from '../../graph/graph.ts';
import { operator } from '../operator.ts';
import { fillImage, reader, sizesOf } from '../references.ts';

export interface Normalization {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
  readonly order: readonly number[];
}

/** images uint8 `[N, C, H, W]` -> float32: image * scale[c] + shift[c], in channel order `order` */
export const normalizeOperator = operator<Normalization>('normalize', {
  shape: ([image]) => [floats(sizesOfImage(image), 'image')],
  onnx(lowering, { inputs: [images = ''], attributes: { scale, shift, order }, outputs }) {
    const { emit, integers } = lowering;
    const [, channels] = imageShape(lowering.graph, images);
    const ordered = order.every((channel, index) => channel === index)
      ? images
      : emit('Gather', [images, integers(order)], { axis: 1 });
    const cast = emit('Cast', [ordered], { to: lowering.floatType });
    const scaled = emit('Mul', [cast, lowering.floats(scale, [1, channels, 1, 1])]);
    emit('Add', [scaled, lowering.floats(shift, [1, channels, 1, 1])], {}, outputs[0]);
  },
  /** Channel i of the result is channel order[i] of the image, times scale[i], plus shift[i]. */
  tensorflow(tf, input, { attributes: { scale, shift, order } }) {
    const reordered = tf.gather(input(0), tf.tensor1d([...order], 'int32'), 3);
    return tf.add(tf.mul(reordered, tf.tensor1d([...scale])), tf.tensor1d([...shift]));
  },
  reference(input, { attributes: { scale, shift, order }, inputs, outputs }) {
    const read = reader(input(0), sizesOf(inputs[0]), 0);
    return fillImage(
      sizesOf(outputs[0]),
      (n, c, y, z) => read(n, order[c] ?? 0, y, z) * (scale[c] ?? NaN) + (shift[c] ?? NaN),
    );
  },
  samples: {
    'bytes with their channels exchanged': {
      attributes: { scale: [0.1, 0.2, 0.3], shift: [-1, 0, 2], order: [2, 1, 0] },
      inputs: [{ shape: [2, 3, 4, 5], axes: 'image', dtype: 'uint8', fixed: true }],
    },
  },
});

/**
 * Brings decoded pixels (uint8, RGB, 0 to 255) to what a network expects: channel `i` of the result is channel
 * `order[i]` of the image, times `scale[i]`, plus `shift[i]`.
 */
export function normalize(builder: GraphBuilder, image: string, constants: Normalization): string {
  return append(builder, normalizeOperator, constants, [image]);
}
