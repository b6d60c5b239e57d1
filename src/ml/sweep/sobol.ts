/**
 * Direction numbers of a Sobol sequence by Joe and Kuo 2008 (`new-joe-kuo-6.21201`): degree of the primitive polynomial,
 * its inner coefficients as bits, and the first odd numbers. The first dimension has none.
 */
const directions: readonly (readonly [degree: number, coefficients: number, first: readonly number[]])[] = [
  [1, 0, [1]],
  [2, 1, [1, 3]],
  [3, 1, [1, 3, 1]],
  [3, 2, [1, 1, 1]],
  [4, 1, [1, 1, 3, 3]],
  [4, 4, [1, 3, 5, 13]],
  [5, 2, [1, 1, 5, 5, 17]],
  [5, 4, [1, 1, 5, 5, 5]],
  [5, 7, [1, 1, 7, 11, 19]],
  [5, 11, [1, 1, 5, 1, 1]],
  [5, 13, [1, 1, 1, 3, 11]],
  [5, 14, [1, 3, 5, 5, 31]],
  [6, 1, [1, 3, 3, 9, 7, 49]],
  [6, 13, [1, 1, 1, 15, 21, 21]],
  [6, 16, [1, 3, 1, 13, 27, 49]],
  [6, 19, [1, 1, 1, 15, 7, 5]],
  [6, 22, [1, 3, 1, 15, 13, 25]],
  [6, 25, [1, 1, 5, 5, 19, 61]],
  [7, 1, [1, 3, 7, 11, 23, 15, 103]],
  [7, 4, [1, 3, 7, 13, 13, 15, 69]],
];

/** Most dimensions that a sequence can have. */
export const mostSobolDimensions = directions.length + 1;
const bits = 32;

/**
 * A point of the Sobol sequence in `[0, 1)` of each dimension, in Gray code's order as in Bratley and Fox 1988; `shifts`,
 * a 32-bit number for each dimension, moves the whole sequence (a digital shift), which keeps how evenly it fills the cube.
 */
export function sobolPoint(index: number, shifts: readonly number[]): number[] {
  if (shifts.length > mostSobolDimensions)
    throw new RangeError(`a Sobol sequence has at most ${mostSobolDimensions} dimensions`);
  const gray = index ^ (index >>> 1);
  return shifts.map((shift, dimension) => {
    let value = shift;
    for (let bit = 0; bit < bits; bit++) if ((gray >>> bit) & 1) value ^= directionsOf(dimension)[bit] ?? 0;
    return (value >>> 0) / 2 ** bits;
  });
}

const known = new Map<number, Uint32Array>();

/** The 32 direction numbers of a dimension. */
function directionsOf(dimension: number): Uint32Array {
  const found = known.get(dimension) ?? Uint32Array.from(made(directions[dimension - 1]));
  known.set(dimension, found);
  return found;
}

function made(row: (typeof directions)[number] | undefined): number[] {
  if (!row) return Array.from({ length: bits }, (_, bit) => 2 ** (bits - 1 - bit));
  const [degree, coefficients, first] = row;
  const numbers: number[] = [];
  for (let bit = 0; bit < bits; bit++) {
    const given = first[bit];
    if (given !== undefined) numbers.push(given * 2 ** (bits - 1 - bit));
    else {
      let value = (numbers[bit - degree] ?? 0) ^ ((numbers[bit - degree] ?? 0) >>> degree);
      for (let inner = 1; inner < degree; inner++)
        if ((coefficients >>> (degree - 1 - inner)) & 1) value ^= numbers[bit - inner] ?? 0;
      numbers.push(value >>> 0);
    }
  }
  return numbers;
}
