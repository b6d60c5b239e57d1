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
  for (let row = 0; row < size; row++) {
    const own = matrix.subarray(row * size, row * size + row + 1);
    for (let column = 0; column < row; column++) {
      const other = matrix.subarray(column * size, column * size + column + 1);
      own[column] = (at(own, column) - dot(own, other, column)) / at(other, column);
    }
    own[row] = Math.sqrt(at(own, row) - dot(own, own, row));
  }
}

/** The inverse of a lower triangular matrix, whose upper half is 0. */
export function lowerInverse(lower: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const out = inverse.subarray(row * size, (row + 1) * size);
    const weights = lower.subarray(row * size, row * size + row + 1);
    for (let from = 0; from < row; from += 4) {
      const part = (k: number) => inverse.subarray((from + k) * size, (from + k + 1) * size);
      const weight = (k: number) => (from + k < row ? at(weights, from + k) : 0);
      const [a, b, c, d] = [part(0), part(1), part(2), part(3)];
      const [wa, wb, wc, wd] = [weight(0), weight(1), weight(2), weight(3)];
      const end = Math.min(from + 4, row);
      for (let column = 0; column < end; column++) {
        out[column] = at(out, column) - (wa * at(a, column) + wb * at(b, column) + wc * at(c, column) + wd * at(d, column)); // prettier-ignore
      }
    }
    const diagonal = at(weights, row);
    for (let column = 0; column < row; column++) out[column] = at(out, column) / diagonal;
    out[row] = 1 / diagonal;
  }
  return inverse;
}

/** The sum of a[k] b[k] over k < `length`. */
export function dot(a: Float64Array, b: Float64Array, length: number): number {
  let [s, t, u, v] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s += at(a, k) * at(b, k);
    t += at(a, k + 1) * at(b, k + 1);
    u += at(a, k + 2) * at(b, k + 2);
    v += at(a, k + 3) * at(b, k + 3);
  }
  for (; k < length; k++) s += at(a, k) * at(b, k);
  return s + t + (u + v);
}

/** Adds `factor` times the first `length` of `values` to those of `out`. */
export function addScaled(out: Float64Array, factor: number, values: Float64Array, length: number): void {
  for (let k = 0; k < length; k++) out[k] = at(out, k) + factor * at(values, k);
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}
