import { typeOf } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import type { Lowering } from '../lowering.ts';
import { loweredOperator } from '../loweredOperator.ts';
import { affine } from './recompute.ts';

/*
 * A batch norm's gradient multiplies a map by a factor per channel. Where only the convolution before it reads the result, its
 * gradients are linear in that, and their weights can be multiplied instead: a pass over the map less.
 */

/** Whether the factor of a batch norm's dx can be left to what reads it, and dx be written over dy. */
export function defersScale({ graph, layouts }: Lowering, dy: string, dx: string): boolean {
  const readers = (value: string) => graph.nodes.filter(({ inputs }) => inputs.includes(value));
  const elements = elementCount(typeOf(graph, dx).shape);
  const suits = readers(dx).map((reader) => {
    const { scalable } = loweredOperator(reader);
    if (!layouts.nodes.has(reader) || scalable?.image(reader) !== dx) return false;
    return 8 * elementCount(typeOf(graph, scalable.weight(reader)).shape) < elements;
  });
  return suits.length > 0 && suits.every(Boolean) && readers(dy).length === 1 && !graph.outputs.includes(dx);
}

/** Weights in the order in which a blocked model holds them, times what their outputs' `image` is yet to be multiplied by. */
export function withDeferredScale(
  lowering: Lowering,
  weight: string,
  { image, shape, output }: { readonly image: string; readonly shape: readonly number[]; readonly output?: string },
): string {
  const scale = lowering.factors.get(image);
  if (scale === undefined) return weight;
  const { emit, integers } = lowering;
  const [channels = 1, ...rest] = shape;
  const row = emit('Reshape', [weight, integers([1, channels, 1, elementCount(rest)])]);
  return emit('Reshape', [affine(lowering, { x: row, scale, channels }), integers(shape)], {}, output);
}
