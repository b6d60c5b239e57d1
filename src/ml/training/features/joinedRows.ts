import type { Feeds } from '../../engine/engine.ts';
import { elementCount, float32Tensor } from '../../graph/tensor.ts';

/** Which columns of a joined row belong to which feed. */
export interface RowLayout {
  readonly width: number;
  readonly parts: readonly { readonly name: string; readonly shape: readonly number[]; readonly size: number }[];
}

/** The layout of feeds `[N, ...]`, in their order. */
export function layoutOf(feeds: Feeds): RowLayout {
  const parts = Array.from(feeds, ([name, tensor]) => {
    const shape = tensor.shape.slice(1);
    return { name, shape, size: elementCount(shape) };
  });
  return { parts, width: parts.reduce((sum, { size }) => sum + size, 0) };
}

/** Feeds `[N, ...]` as one matrix `[N, width]`. */
export function joinColumns(feeds: Feeds, rows: number, { width, parts }: RowLayout): Float32Array {
  const matrix = new Float32Array(rows * width);
  let start = 0;
  for (const { name, size } of parts) {
    const tensor = feeds.get(name);
    if (rows > 0 && tensor?.dtype !== 'float32') throw new TypeError(`the features ${name} are not float32`);
    for (let row = 0; row < rows; row++) {
      matrix.set((tensor?.data as Float32Array).subarray(row * size, (row + 1) * size), row * width + start);
    }
    start += size;
  }
  return matrix;
}

/** The opposite of `joinColumns`. */
export function splitColumns(matrix: Float32Array, rows: number, { width, parts }: RowLayout): Feeds {
  let start = 0;
  return new Map(
    parts.map(({ name, shape, size }) => {
      const data = new Float32Array(rows * size);
      for (let row = 0; row < rows; row++) {
        data.set(matrix.subarray(row * width + start, row * width + start + size), row * size);
      }
      start += size;
      return [name, float32Tensor([rows, ...shape], data)];
    }),
  );
}
