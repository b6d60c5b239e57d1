/*
 * Dense float64 matrices, row by row; of symmetric and triangular ones the lower half counts. Sums are taken in an order
 * that depends on nothing but the size, so that equal inputs give equal results to the last bit.
 */

/** Adds the products of rows with themselves to a lower half: of `rows` `[count, size]` the sum of `sign` x x'. */
export function addProducts(lower: Float64Array, rows: Float64Array, size: number, sign: 1 | -1): void {
  const count = rows.length / size;
  // Eight rows at a time: the half is read and written once for all of them.
  const padded = new Float64Array(Math.ceil(count / 8) * 8 * size);
  padded.set(rows);
  for (let from = 0; from < padded.length; from += 8 * size) {
    const part = (at: number) => padded.subarray(from + at * size, from + (at + 1) * size);
    const [a, b, c, d, e, f, g, h] = [part(0), part(1), part(2), part(3), part(4), part(5), part(6), part(7)];
    for (let row = 0; row < size; row++) {
      const out = lower.subarray(row * size, row * size + row + 1);
      const [wa, wb, wc, wd] = [sign * at(a, row), sign * at(b, row), sign * at(c, row), sign * at(d, row)];
      const [we, wf, wg, wh] = [sign * at(e, row), sign * at(f, row), sign * at(g, row), sign * at(h, row)];
      for (let column = 0; column <= row; column++) {
        out[column] =
          at(out, column) +
          (wa * at(a, column) + wb * at(b, column) + wc * at(c, column) + wd * at(d, column)) +
          (we * at(e, column) + wf * at(f, column) + wg * at(g, column) + wh * at(h, column));
      }
    }
  }
}

/** L of A = L L', in place of A's lower half (Cholesky). A has to be positive definite. */
export function choleskyInPlace(matrix: Float64Array, size: number): void {
  for (let first = 0; first < size; first += 4) {
    const end = Math.min(first + 4, size);
    // Four rows at a time: each row above is read once for all of them.
    if (end - first === 4) for (let column = 0; column < first; column++) solveFour(matrix, size, first, column);
    for (let row = first; row < end; row++) {
      const own = row * size;
      for (let column = end - first === 4 ? first : 0; column < row; column++) {
        const other = column * size;
        const rest = at(matrix, own + column) - dotBetween(matrix, own, other, column);
        matrix[own + column] = rest / at(matrix, other + column);
      }
      matrix[own + row] = Math.sqrt(at(matrix, own + row) - dotBetween(matrix, own, own, row));
    }
  }
}

/** One column of L in four rows from `first` on, all of whose columns before are known. */
function solveFour(matrix: Float64Array, size: number, first: number, column: number): void {
  const [a, b, c, d] = [first * size, (first + 1) * size, (first + 2) * size, (first + 3) * size];
  const other = column * size;
  let [s, t, u, v] = [0, 0, 0, 0];
  for (let k = 0; k < column; k++) {
    const value = at(matrix, other + k);
    s += at(matrix, a + k) * value;
    t += at(matrix, b + k) * value;
    u += at(matrix, c + k) * value;
    v += at(matrix, d + k) * value;
  }
  const diagonal = at(matrix, other + column);
  matrix[a + column] = (at(matrix, a + column) - s) / diagonal;
  matrix[b + column] = (at(matrix, b + column) - t) / diagonal;
  matrix[c + column] = (at(matrix, c + column) - u) / diagonal;
  matrix[d + column] = (at(matrix, d + column) - v) / diagonal;
}

/** The inverse of a lower triangular matrix, whose upper half is 0. */
export function lowerInverse(lower: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const out = row * size;
    const weight = (k: number) => (k < row ? at(lower, out + k) : 0);
    for (let from = 0; from < row; from += 4) {
      const [a, b, c, d] = [from * size, (from + 1) * size, (from + 2) * size, (from + 3) * size];
      const [wa, wb, wc, wd] = [weight(from), weight(from + 1), weight(from + 2), weight(from + 3)];
      const end = Math.min(from + 4, row);
      for (let column = 0; column < end; column++) {
        inverse[out + column] = at(inverse, out + column) - (wa * at(inverse, a + column) + wb * at(inverse, b + column) + wc * at(inverse, c + column) + wd * at(inverse, d + column)); // prettier-ignore
      }
    }
    const diagonal = at(lower, out + row);
    for (let column = 0; column < row; column++) inverse[out + column] = at(inverse, out + column) / diagonal;
    inverse[out + row] = 1 / diagonal;
  }
  return inverse;
}

/** The product of two parts of a matrix, which begin at `a` and `b`: to make views of them takes longer than short sums. */
function dotBetween(matrix: Float64Array, a: number, b: number, length: number): number {
  let [s, t, u, v] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s += at(matrix, a + k) * at(matrix, b + k);
    t += at(matrix, a + k + 1) * at(matrix, b + k + 1);
    u += at(matrix, a + k + 2) * at(matrix, b + k + 2);
    v += at(matrix, a + k + 3) * at(matrix, b + k + 3);
  }
  for (; k < length; k++) s += at(matrix, a + k) * at(matrix, b + k);
  return s + t + (u + v);
}

type Four = readonly [Float64Array, Float64Array, Float64Array, Float64Array];

/**
 * Adds L' L x to `outs` for four vectors x, of a lower triangular L. What is added for one does not depend on the others,
 * to the last bit.
 */
export function addGramProducts(lower: Float64Array, size: number, [a, b, c, d]: Four, outs: Four): void {
  const [e, f, g, h] = outs;
  for (let row = 0; row < size; row++) {
    const line = row * size;
    let [s, t, u, v] = [0, 0, 0, 0];
    for (let k = 0; k <= row; k++) {
      const value = at(lower, line + k);
      s += value * at(a, k);
      t += value * at(b, k);
      u += value * at(c, k);
      v += value * at(d, k);
    }
    for (let k = 0; k <= row; k++) {
      const value = at(lower, line + k);
      e[k] = at(e, k) + s * value;
      f[k] = at(f, k) + t * value;
      g[k] = at(g, k) + u * value;
      h[k] = at(h, k) + v * value;
    }
  }
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}
