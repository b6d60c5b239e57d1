import { convolutionAttributes } from '../convolutionAttributes.ts';
import type { Lowering } from '../lowering.ts';
import { blockedDomain } from './blockedLayout.ts';

export type Sizes = readonly [number, number, number, number];

/** Mean of each image's channels, `[N, C, 1, 1]`. */
export function blockedMeans(lowering: Lowering, image: string): string {
  return lowering.emit('GlobalAveragePool', [image], { domain: blockedDomain });
}

/** Sum over all but the channels, `[C]`. */
export function blockedSums(lowering: Lowering, image: string, [n, c, h, w]: Sizes, output?: string): string {
  const { emit, floats, integers } = lowering;
  const rows = emit('Reshape', [blockedMeans(lowering, image), integers([n, c])]);
  const sum = emit('ReduceSum', [rows, integers([0])], { keepdims: 0 });
  return emit('Mul', [sum, floats([h * w])], {}, output);
}

/**
 * Sum over all but the channels of the products of two images, `[C]`, without writing the products down: each image's
 * map is a depthwise convolution's kernel over the other's.
 */
export function blockedSumsOfProducts(lowering: Lowering, image: string, other: string, [n, c, h, w]: Sizes): string {
  const { emit, integers } = lowering;
  const maps = emit('Reshape', [image, integers([1, n * c, h, w])]);
  const kernels = emit('Reshape', [other, integers([n * c, 1, h, w])]);
  const geometry = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: n * c } as const;
  const attributes = { domain: blockedDomain, ...convolutionAttributes(geometry, [h, w]) };
  const rows = emit('Reshape', [emit('Conv', [maps, kernels], attributes), integers([n, c])]);
  return emit('ReduceSum', [rows, integers([0])], { keepdims: 0 });
}
