import { typeOf, type Node } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import type { Lowering } from '../../lowering/lowering.ts';

/** Multiplications of a convolution from its map's shape and its kernel's; its gradients take as many. */
export function productsOf(map: readonly number[], kernel: readonly number[]): number {
  return elementCount(map) * elementCount(kernel.slice(1));
}

/** The image that a convolution reads, if it has so few channels, as colours, that its blocked form takes them plain. */
export function coloursOf(
  { graph }: Pick<Lowering, 'graph'>,
  { inputs: [x = ''] }: Node,
  block: number,
): readonly string[] {
  return (typeOf(graph, x).shape[1] ?? 0) < block ? [x] : [];
}
