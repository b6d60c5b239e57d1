import type { FeatureRows } from './softmaxHead.ts';
import { addProducts } from './symmetricMatrix.ts';

/** Bits of a rounded feature beside its sign: the sums of products over half a million rows are exact in float64 then. */
const bits = 16;

/** Sums over the rows that count, of features rounded to whole numbers of a unit that each column has. */
export interface ExactSums {
  /** Rows that count. */
  readonly counted: number;
  /** `[width]`: what one is worth, a power of 2. */
  readonly units: Float64Array;
  /** `[width]` */
  readonly sums: Float64Array;
  /** `[width, width]`, the lower half: sums of the products of columns. */
  readonly products: Float64Array;
  /** Has the rows count whose label is not -1. Returns whether others did before. */
  count(labels: Int32Array): boolean;
  /** The rows of one class, and their sums, `[width]`. */
  ofClass(labels: Int32Array, index: number): { readonly size: number; readonly sum: Float64Array };
}

/**
 * Sums of rows and of their products that are whole numbers below 2^53, so that adding and taking out rows in any order
 * gives what a sum over the rows that are left gives, to the last bit. A column's unit follows its largest value.
 */
export function createExactSums({ width, features }: FeatureRows): ExactSums {
  const rows = features.length / width;
  const counts = new Uint8Array(rows);
  const units = new Float64Array(width);
  const sums = new Float64Array(width);
  const products = new Float64Array(width * width);
  let counted = 0;

  const inverseUnits = new Float64Array(width);
  const rounded = (row: number, into: Float64Array): void => {
    const start = row * width;
    for (let column = 0; column < width; column++) {
      into[column] = Math.round((features[start + column] as number) * (inverseUnits[column] as number));
    }
  };
  const setUnits = (next: Float64Array): void => {
    units.set(next);
    inverseUnits.set(next.map((unit) => 1 / unit));
  };
  const add = (some: readonly number[], sign: 1 | -1): void => {
    const most = 64;
    for (let from = 0; from < some.length; from += most) {
      const part = some.slice(from, from + most);
      const values = new Float64Array(part.length * width);
      for (const [at, row] of part.entries()) {
        const own = values.subarray(at * width, (at + 1) * width);
        rounded(row, own);
        for (let column = 0; column < width; column++) sums[column] = (sums[column] as number) + sign * (own[column] as number); // prettier-ignore
      }
      addProducts(products, values, width, sign);
    }
  };
  const addColumn = (column: number): void => {
    const [line, own] = [new Float64Array(width), new Float64Array(width)];
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      if (counts[row] === 0) continue;
      rounded(row, own);
      const value = own[column] as number;
      sum += value;
      for (let other = 0; other < width; other++)
        line[other] = (line[other] as number) + value * (own[other] as number);
    }
    sums[column] = sum;
    for (let other = 0; other < width; other++) {
      products[Math.max(column, other) * width + Math.min(column, other)] = line[other] as number;
    }
  };

  return {
    get counted() {
      return counted;
    },
    ...{ units, sums, products },
    count: (labels) => {
      const [more, fewer]: number[][] = [[], []];
      labels.forEach((label, row) => {
        const now = Number(label >= 0);
        if (now === counts[row]) return;
        (now === 1 ? more : fewer)?.push(row);
        counts[row] = now;
      });
      if (more?.length === 0 && fewer?.length === 0) return false;
      counted += (more?.length ?? 0) - (fewer?.length ?? 0);
      const next = unitsOf({ width, features }, counts);
      const changed = [...next.keys()].filter((column) => next[column] !== units[column]);
      if (changed.length * 4 > width) {
        setUnits(next);
        sums.fill(0);
        products.fill(0);
        const all = [...counts.keys()].filter((row) => counts[row] === 1);
        add(all, 1);
        return true;
      }
      // Columns that keep their unit first; the others are summed anew.
      add(fewer ?? [], -1);
      add(more ?? [], 1);
      setUnits(next);
      changed.forEach(addColumn);
      return true;
    },
    ofClass: (labels, index) => {
      const [sum, own] = [new Float64Array(width), new Float64Array(width)];
      let size = 0;
      for (let row = labels.indexOf(index); row >= 0; row = labels.indexOf(index, row + 1)) {
        size++;
        rounded(row, own);
        for (let column = 0; column < width; column++) sum[column] = (sum[column] as number) + (own[column] as number);
      }
      return { size, sum };
    },
  };
}

/** The least power of 2 for each column by which its largest value becomes a number of so many bits. */
function unitsOf({ width, features }: FeatureRows, counts: Uint8Array): Float64Array {
  const largest = new Float64Array(width);
  for (let row = 0; row < counts.length; row++) {
    if (counts[row] === 0) continue;
    const start = row * width;
    for (let column = 0; column < width; column++) {
      const size = Math.abs(features[start + column] as number);
      if (size > (largest[column] as number)) largest[column] = size;
    }
  }
  return largest.map((most) => (most > 0 ? 2 ** (Math.floor(Math.log2(most)) + 1 - bits) : 1));
}
