import { float32Tensor, type Tensor } from '../graph/tensor.ts';
import type { LearnedPositions } from '../networks/family.ts';

/** Rows of the square grids of two tensors of positions that differ in nothing else; undefined if they do. */
export function sidesOf(
  from: readonly number[],
  to: readonly number[],
  { before }: Pick<LearnedPositions, 'before'>,
): readonly [from: number, to: number] | undefined {
  const sides = [from, to].map(([, vectors = 0]) => Math.sqrt(vectors - before));
  const [old = 0, wanted = 0] = sides;
  const isSquare = sides.every((side) => Number.isInteger(side) && side > 0);
  const isAlike = from.length === 3 && to.length === 3 && from[0] === 1 && to[0] === 1 && from[2] === to[2];
  return isSquare && isAlike ? [old, wanted] : undefined;
}

/** Keys' cubic with a = -0.5, which torch uses with `antialias=True` (https://doi.org/10.1109/TASSP.1981.1163711). */
function cubic(distance: number): number {
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return distance < 2 ? ((-0.5 * distance + 2.5) * distance - 4) * distance + 2 : 0;
}

/** For each place of the result, the places of the original that count, and how much; the shares of a place sum to 1. */
function bicubicShares(from: number, to: number): (readonly [place: number, share: number])[][] {
  const scale = from / to;
  const width = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale - 0.5;
    const shares = Array.from({ length: from }, (_, place) => cubic(Math.abs(place - centre) / width));
    const sum = shares.reduce((total, share) => total + share, 0);
    return shares.flatMap((share, place) => (share === 0 ? [] : [[place, share / sum] as const]));
  });
}

/**
 * Learned positions for a grid of another size, as timm's `resample_abs_pos_embed` makes them: the grid as an image of D
 * channels, resized bicubically with antialiasing; the vectors before it stay. Throws where the shapes do not allow it.
 */
export function resamplePositions(tensor: Tensor, shape: readonly number[], positions: LearnedPositions): Tensor {
  const sides = sidesOf(tensor.shape, shape, positions);
  if (!sides || tensor.dtype !== 'float32') throw new Error(`${positions.tensor} is not a square grid of positions`);
  const [old, wanted] = sides;
  const width = shape[2] ?? 1;
  const start = positions.before * width;
  const source = tensor.data.subarray(start);
  const result = float32Tensor(shape);
  result.data.set(tensor.data.subarray(0, start));
  const shares = bicubicShares(old, wanted);
  const sum = new Float64Array(width);
  for (const [row, fromRows] of shares.entries()) {
    for (const [column, fromColumns] of shares.entries()) {
      sum.fill(0);
      for (const [oldRow, rowShare] of fromRows) {
        for (const [oldColumn, columnShare] of fromColumns) {
          const at = (oldRow * old + oldColumn) * width;
          for (let i = 0; i < width; i++) sum[i] = (sum[i] ?? 0) + rowShare * columnShare * (source[at + i] ?? 0);
        }
      }
      result.data.set(sum, start + (row * wanted + column) * width);
    }
  }
  return result;
}
