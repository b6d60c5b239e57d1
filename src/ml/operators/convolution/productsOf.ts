import type { Convolution } from '../../graph/geometry.ts';
import { typeOf, type Node } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import type { Lowering } from '../../lowering/lowering.ts';

/** Multiplications of a convolution from its map's shape and its kernel's; its gradients take as many. */
export function productsOf(map: readonly number[], kernel: readonly number[]): number {
  return elementCount(map) * elementCount(kernel.slice(1));
}

/** Whether each channel has a kernel of its own, in the shape `[C, 1, kH, kW]`. */
export function isDepthwise([outputs = 1, perGroup = 1]: readonly number[], groups: number): boolean {
  return groups > 1 && perGroup === 1 && outputs === groups;
}

/** The image that a convolution reads, if it has so few channels, as colours, that its blocked form takes them plain. */
export function coloursOf(
  { graph }: Pick<Lowering, 'graph'>,
  { inputs: [x = ''], attributes: { groups } }: Node<Convolution>,
  block: number,
): readonly string[] {
  return groups === 1 && (typeOf(graph, x).shape[1] ?? 0) < block ? [x] : [];
}
