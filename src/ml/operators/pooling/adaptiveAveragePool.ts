import { imageShape } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { exchangeLast, matmul } from '../matmul/matmul.ts';
import { constant } from '../movement/constant.ts';
import { reshape } from '../movement/reshape.ts';
import { averagePool2d } from './averagePool.ts';

/**
 * torch's AdaptiveAvgPool2d: `[N, C, H, W]` -> `[N, C, size, size]`. Window i of `size` reaches from floor(i * H / size) to
 * ceil((i + 1) * H / size), so that windows overlap where the sizes do not divide, and repeat where the map is smaller.
 */
export function adaptiveAveragePool2d(builder: GraphBuilder, x: string, size: number): string {
  const [n, channels, height, width] = imageShape(builder, x);
  if (height === size && width === size) return x;
  if (height % size === 0 && width % size === 0) {
    const window = [height / size, width / size] as const;
    return averagePool2d(builder, x, { kernel: window, stride: window });
  }
  const columns = matmul(builder, reshape(builder, x, [n * channels, height, width]), shares(builder, width, size));
  const rows = matmul(builder, exchangeLast(builder, columns), shares(builder, height, size));
  return reshape(builder, exchangeLast(builder, rows), [n, channels, size, size], 'image');
}

/** `[length, size]`: what each place gives to each window's mean. */
function shares(builder: GraphBuilder, length: number, size: number): string {
  const values = Array.from({ length: length * size }, (_, index) => {
    const [place, window] = [Math.floor(index / size), index % size];
    const [start, end] = [Math.floor((window * length) / size), Math.ceil(((window + 1) * length) / size)];
    return place >= start && place < end ? 1 / (end - start) : 0;
  });
  return constant(builder, [length, size], values);
}
