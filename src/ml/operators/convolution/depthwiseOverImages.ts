import { elementCount } from '../../graph/tensor.ts';
import { typeOf } from '../../graph/graph.ts';
import { imageShape } from '../../graph/builder.ts';
import { blockedDomain } from '../../lowering/blocked/blockedLayout.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { isDepthwise } from './productsOf.ts';

/*
 * Depthwise convolutions and their gradients where images are plain, since their channels are not whole blocks. Each map
 * is by itself here, so that the maps of all images are the channels of one, and a block may hold the last channels of
 * one image and the first of the next. Two reorders more, and the work itself in a fraction of the time.
 */

/** Whether all maps of an image together are whole blocks, for a depthwise kernel of `shape`. */
export function reachesOverImages(
  lowering: Lowering,
  image: string,
  shape: readonly number[],
  groups: number,
): boolean {
  const { block, graph } = lowering;
  if (block === 0 || !isDepthwise(shape, groups)) return false;
  const [n, channels] = imageShape(graph, image);
  return (n * channels) % block === 0;
}

/** All maps of a plain image `[N, C, H, W]` as one image `[1, N C, H, W]` in blocks; reordered once. */
export function mapsInBlocks(lowering: Lowering, value: string): string {
  const key = `${value} over images`;
  const known = lowering.reordered.get(key);
  if (known !== undefined) return known;
  const [n, channels, h, w] = imageShape(lowering.graph, value);
  const reordered = inBlocks(lowering, value, [1, n * channels, h, w]);
  lowering.reordered.set(key, reordered);
  return reordered;
}

/** Kernels `[C, 1, kh, kw]` in torch's order for the maps of all images, in blocks: `[N C, 1, kh, kw]`. */
export function kernelsInBlocks(lowering: Lowering, kernel: string, shape: readonly number[], n: number): string {
  const { emit, integers } = lowering;
  const [channels = 1, , kh = 1, kw = 1] = shape;
  const repeated = emit('Expand', [kernel, integers([n, ...shape])]);
  const reordered = inBlocks(lowering, repeated, [1, n * channels, kh, kw]);
  return emit('Reshape', [reordered, integers([n * channels, 1, kh, kw])]);
}

function inBlocks({ emit, integers }: Lowering, value: string, shape: readonly number[]): string {
  return emit('ReorderInput', [emit('Reshape', [value, integers(shape)])], { domain: blockedDomain });
}

/** Maps in blocks back into the plain image `output`. */
export function imagesOfMaps(lowering: Lowering, maps: string, output = ''): void {
  const { emit, integers, graph } = lowering;
  const { shape } = typeOf(graph, output);
  const plain = emit('ReorderOutput', [maps], { domain: blockedDomain, channels: elementCount(shape.slice(0, 2)) });
  emit('Reshape', [plain, integers(shape)], {}, output);
}
