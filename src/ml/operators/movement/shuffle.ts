import { imageShape } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { concat } from './concat.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';
import { transpose } from './transpose.ts';

/** Channels of `groups` groups taken in turns (ShuffleNet; Zhang et al. 2017): `[N, C, H, W]` -> the same. */
export function channelShuffle(builder: GraphBuilder, x: string, groups: number): string {
  const [n, channels, h, w] = imageShape(builder, x);
  const split = reshape(builder, x, [n, groups, channels / groups, h * w]);
  const shuffled = transpose(builder, split, [0, 2, 1, 3]);
  return reshape(builder, shuffled, [n, channels, h, w], 'image');
}

/** torch's roll along one axis: element i of the result is element i - by of the value, round the end. */
export function roll(builder: GraphBuilder, x: string, axis: number, by: number): string {
  const size = typeOf(builder, x).shape[axis] ?? 1;
  const cut = (((size - by) % size) + size) % size;
  if (cut === 0) return x;
  return concat(builder, [slice(builder, x, axis, cut, size), slice(builder, x, axis, 0, cut)], axis);
}

/** Windows of `size` by `size` of values `[N, H, W, D]`: `[N * windows, size * size, D]`, by rows. */
export function partitionWindows(builder: GraphBuilder, x: string, size: number): string {
  const [n = 1, h = 1, w = 1, d = 1] = typeOf(builder, x).shape;
  const [rows, columns] = [h / size, w / size];
  const split = reshape(builder, x, [n, rows, size, columns, size, d]);
  const windows = transpose(builder, split, [0, 1, 3, 2, 4, 5]);
  return reshape(builder, windows, [n * rows * columns, size * size, d]);
}

/** What `partitionWindows` took apart, `[N, H, W, D]` again. */
export function joinWindows(
  builder: GraphBuilder,
  windows: string,
  size: number,
  [n, h, w]: readonly [n: number, h: number, w: number],
): string {
  const d = typeOf(builder, windows).shape.at(-1) ?? 1;
  const split = reshape(builder, windows, [n, h / size, w / size, size, size, d]);
  return reshape(builder, transpose(builder, split, [0, 1, 3, 2, 4, 5]), [n, h, w, d]);
}
