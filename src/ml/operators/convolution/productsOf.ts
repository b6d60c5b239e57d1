import type { Convolution } from '../../graph/geometry.ts';
import { typeOf, type Node } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import type { Lowering } from '../../lowering/lowering.ts';

/**
 * How many times as long a multiplication of a depthwise convolution takes as one of a product, both in the plain layout
 * (measured in ConvNeXt-T's step, a thread with AVX-512: 23).
 */
const depthwiseCost = 24;

/** Multiplications of a convolution, or of one of its gradients, by what they cost in the plain layout. */
export function productsOf(map: readonly number[], kernel: readonly number[], groups: number): number {
  const cost = isDepthwise(kernel, groups) ? depthwiseCost : 1;
  return cost * elementCount(map) * elementCount(kernel.slice(1));
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
