import type { FeatureRows } from './softmaxHead.ts';
import { addProducts } from './symmetricMatrix.ts';

/** Bits of a rounded feature beside its sign: the sums of products over half a million rows are exact in float64 then. */
const bits = 16;
/** Rows that are rounded at a time. */
const rowsAtOnce = 64;

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
  /** How many rows each class has, `[classes]`, and their sums, `[classes, width]`; valid until it is asked for again. */
  ofClasses(labels: Int32Array, classes: number): ClassSums;
}

export interface ClassSums {
  readonly sizes: Float64Array;
  readonly sums: Float64Array;
}

/**
 * Sums of rows and of their products that are whole numbers below 2^53, so that adding and taking out rows in any order
 * gives what a sum over the rows that are left gives, to the last bit. A column's unit follows its largest value.
 */
export function createExactSums(rows: FeatureRows): ExactSums {
  const { width, features } = rows;
  const counts = new Uint8Array(features.length / width);
  const all = { ...rows, units: new Float64Array(width) };
  const totals: Totals = { sums: new Float64Array(width), products: new Float64Array(width * width) };
  let counted = 0;
  /** The last sums of classes, in the units of now, with the labels that they are of. */
  let summed: (ClassSums & { readonly labels: Int32Array }) | undefined;
  return {
    get counted() {
      return counted;
    },
    units: all.units,
    ...totals,
    count: (labels) => {
      const changed = [...counts.keys()].filter((row) => (counts[row] === 1) !== (labels[row] ?? -1) >= 0);
      if (changed.length === 0) return false;
      const fewer = changed.filter((row) => counts[row] === 1);
      const more = changed.filter((row) => counts[row] === 0);
      for (const row of fewer) counts[row] = 0;
      for (const row of more) counts[row] = 1;
      counted += more.length - fewer.length;
      const units = unitsOf(rows, counts);
      const rescaled = [...units.keys()].filter((column) => units[column] !== all.units[column]);
      if (rescaled.length > 0) summed = undefined;
      if (rescaled.length * 4 > width) {
        all.units.set(units);
        totals.sums.fill(0);
        totals.products.fill(0);
        addRows(totals, all, rowsThatCount(counts), 1);
        return true;
      }
      // Columns that keep their unit first; the others are summed anew.
      addRows(totals, all, fewer, -1);
      addRows(totals, all, more, 1);
      all.units.set(units);
      for (const column of rescaled) sumColumn(totals, all, rowsThatCount(counts), column);
      return true;
    },
    ofClasses: (labels, classes) => {
      const known = summed?.sizes.length === classes ? summed : undefined;
      summed = known ?? { labels: new Int32Array(labels.length).fill(-1), sizes: new Float64Array(classes), sums: new Float64Array(classes * width) }; // prettier-ignore
      const { sizes, sums } = summed;
      const before = summed.labels;
      const round = rounder(all);
      const move = (own: Float64Array, index: number, sign: 1 | -1) => {
        if (index < 0) return;
        sizes[index] = (sizes[index] ?? 0) + sign;
        add(sums.subarray(index * width, (index + 1) * width), own, sign);
      };
      for (let row = 0; row < labels.length; row++) {
        const [was, is] = [before[row] ?? -1, labels[row] ?? -1];
        if (was === is) continue;
        const own = round(row);
        move(own, was, -1);
        move(own, is, 1);
        before[row] = is;
      }
      return { sizes, sums };
    },
  };
}

interface Totals {
  readonly sums: Float64Array;
  readonly products: Float64Array;
}

interface RowsInUnits extends FeatureRows {
  readonly units: Float64Array;
}

function rowsThatCount(counts: Uint8Array): number[] {
  return [...counts.keys()].filter((row) => counts[row] === 1);
}

/** Gives a row in units, which is valid until the next one is asked for. */
function rounder({ width, features, units }: RowsInUnits): (row: number) => Float64Array {
  const own = new Float64Array(width);
  const factors = units.map((unit) => 1 / unit);
  return (row) => {
    const start = row * width;
    for (let column = 0; column < width; column++) {
      own[column] = Math.round((features[start + column] ?? 0) * (factors[column] ?? 0));
    }
    return own;
  };
}

function add(into: Float64Array, values: Float64Array, factor: number): void {
  for (let column = 0; column < into.length; column++) {
    into[column] = (into[column] ?? 0) + factor * (values[column] ?? 0);
  }
}

function addRows({ sums, products }: Totals, rows: RowsInUnits, some: readonly number[], sign: 1 | -1): void {
  const { width } = rows;
  const round = rounder(rows);
  for (let from = 0; from < some.length; from += rowsAtOnce) {
    const part = some.slice(from, from + rowsAtOnce);
    const values = new Float64Array(part.length * width);
    for (const [at, row] of part.entries()) {
      const own = round(row);
      values.set(own, at * width);
      add(sums, own, sign);
    }
    addProducts(products, values, width, sign);
  }
}

/** Sums one column anew, which has another unit now. */
function sumColumn({ sums, products }: Totals, rows: RowsInUnits, some: readonly number[], column: number): void {
  const { width } = rows;
  const round = rounder(rows);
  const line = new Float64Array(width);
  sums[column] = 0;
  for (const row of some) {
    const own = round(row);
    const value = own[column] ?? 0;
    sums[column] += value;
    add(line, own, value);
  }
  line.forEach((sum, other) => {
    products[Math.max(column, other) * width + Math.min(column, other)] = sum;
  });
}

/** The least power of 2 for each column by which its largest value becomes a number of so many bits. */
function unitsOf({ width, features }: FeatureRows, counts: Uint8Array): Float64Array {
  const largest = new Float64Array(width);
  for (let row = 0; row < counts.length; row++) {
    if (counts[row] === 0) continue;
    const start = row * width;
    for (let column = 0; column < width; column++) {
      const size = Math.abs(features[start + column] ?? 0);
      if (size > (largest[column] ?? 0)) largest[column] = size;
    }
  }
  return largest.map((most) => (most > 0 ? 2 ** (Math.floor(Math.log2(most)) + 1 - bits) : 1));
}
