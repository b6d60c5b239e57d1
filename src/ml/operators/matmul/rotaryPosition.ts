import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { affine } from '../elementwise/affine.ts';
import { add, mul } from '../elementwise/arithmetic.ts';
import { concat } from '../movement/concat.ts';
import { constant } from '../movement/constant.ts';
import { slice } from '../movement/slice.ts';

/** By how much tokens are turned: for each token, an angle in radians for each half of a head's features, `[T, d / 2]`. */
export interface RotaryPositions {
  readonly tokens: number;
  readonly angles: readonly number[];
}

/**
 * Rotary position embedding (Su et al. 2021) of queries or keys `[N, heads, S, d]`: feature i and feature i + d / 2 of a token are
 * turned together by its angle i. The angles are those of the last tokens; the S - T before them, such as a class token,
 * stay as they are.
 */
export function rotaryPosition(builder: GraphBuilder, x: string, { tokens, angles }: RotaryPositions): string {
  const [, , all = 1, size = 2] = typeOf(builder, x).shape;
  const half = size / 2;
  if (angles.length !== tokens * half) throw new Error(`${angles.length} angles for ${tokens} tokens of ${size}`);
  const before = all - tokens;
  // A token that stays is turned by no angle.
  const table = (of: (angle: number) => number) =>
    constant(
      builder,
      [all, size],
      Array.from({ length: all * size }, (_, index) => {
        const token = Math.floor(index / size) - before;
        return of(token < 0 ? 0 : (angles[token * half + (index % half)] ?? NaN));
      }),
    );
  const [first, second] = [slice(builder, x, 3, 0, half), slice(builder, x, 3, half, size)];
  const turned = concat(builder, [affine(builder, second, { scale: -1 }), first], 3);
  return add(builder, mul(builder, x, table(Math.cos)), mul(builder, turned, table(Math.sin)));
}

/**
 * DINOv3's angles of the patches of a grid (Siméoni et al. 2025): row and column of each patch's centre, from -1 to 1,
 * times 2 pi over periods from 1 to `temperature`. A quarter of a head's features for the rows, then one for the columns.
 */
export function gridAngles(
  [rows, columns]: readonly [rows: number, columns: number],
  headSize: number,
  temperature: number,
): RotaryPositions {
  const periods = Array.from({ length: headSize / 4 }, (_, index) => temperature ** ((2 * index) / (headSize / 2)));
  const centre = (place: number, count: number) => (2 * (place + 0.5)) / count - 1;
  const angles: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (const coordinate of [centre(row, rows), centre(column, columns)]) {
        for (const period of periods) angles.push((2 * Math.PI * coordinate) / period);
      }
    }
  }
  return { tokens: rows * columns, angles };
}
