import { imageShape } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { pad } from '../../operators/movement/slice.ts';

/**
 * The padding of a convolution that TensorFlow calls `same`: the map has a pixel for each `stride` of the image's, and
 * where the zeros do not come out even, one more goes behind the image than before it. What can be the convolution's own
 * padding is left to it; the rest is added to the image here.
 */
export function samePadding(
  builder: GraphBuilder,
  x: string,
  kernel: number,
  stride: number,
): { readonly x: string; readonly padding: number } {
  const [, , height, width] = imageShape(builder, x);
  const missing = [height, width].map((size) => Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size));
  const [rows = 0, columns = 0] = missing;
  if (rows === columns && rows % 2 === 0) return { x, padding: rows / 2 };
  const before = missing.map((zeros) => Math.floor(zeros / 2));
  const after = missing.map((zeros) => Math.ceil(zeros / 2));
  return { x: pad(builder, x, [0, 0, ...before], [0, 0, ...after]), padding: 0 };
}
