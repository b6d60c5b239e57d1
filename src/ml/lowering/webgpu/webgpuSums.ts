import type { Lowering } from '../lowering.ts';

/** Rows and columns that a thread averages at most, so that the windows of a map are enough to keep a card busy. */
const pooledSide = 8;
/** Rows that a product with a row of ones adds up fast, though few workgroups share it. */
const addedRows = 1024;

/**
 * `scale` times the sum of an image of `shape`, `[N, C, H, W]`, over all but the channels, `[C]`: poolings, which take
 * channels as they lie, until few pixels are left, and a product with a row of ones.
 */
export function pooledSum(
  { emit, floats, integers }: Lowering,
  image: string,
  shape: readonly number[],
  scale: number,
  output?: string,
): string {
  const [n = 1, channels = 1, height = 1, width = 1] = shape;
  let [map, rows, columns] = [image, height, width];
  while (n * rows * columns > addedRows && rows * columns > 1) {
    const kernel = [largestDivisor(rows), largestDivisor(columns)];
    map = emit('AveragePool', [map], { kernel_shape: kernel, strides: kernel });
    rows /= kernel[0] ?? 1;
    columns /= kernel[1] ?? 1;
  }
  const last = emit('Transpose', [map], { perm: [0, 2, 3, 1] });
  const pixels = n * rows * columns;
  const share = (scale * height * width) / (rows * columns);
  const ones = floats(new Array<number>(pixels).fill(share), [1, pixels]);
  const sums = emit('MatMul', [ones, emit('Reshape', [last, integers([pixels, channels])])]);
  return emit('Reshape', [sums, integers([channels])], {}, output);
}

/** The largest divisor up to `pooledSide`; the number itself where that is 1. */
function largestDivisor(size: number): number {
  for (let divisor = pooledSide; divisor > 1; divisor--) if (size % divisor === 0) return divisor;
  return size;
}

/** The sum of `[parts, rows, columns]` over the parts, `[rows, columns]`: a product with a row of ones. */
export function sumOfParts(
  { emit, floats, integers }: Lowering,
  value: string,
  [parts, rows, columns]: readonly [number, number, number],
): string {
  const whole = integers([rows, columns]);
  if (parts === 1) return emit('Reshape', [value, whole]);
  const ones = floats(new Array<number>(parts).fill(1), [1, parts]);
  const flat = emit('Reshape', [value, integers([parts, rows * columns])]);
  return emit('Reshape', [emit('MatMul', [ones, flat]), whole]);
}
