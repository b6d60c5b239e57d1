import type { ClassSums, ExactSums } from './exactSums.ts';
import { addGramProducts, choleskyInPlace, lowerInverse } from './symmetricMatrix.ts';

/** Ridge regression over the rows that counted when it was made, for whatever labels these have. */
export interface RidgeSolver {
  /** `[classes, width]` weights over features as they are, and `[classes]` biases. */
  weightsFor(labels: Int32Array, classes: number): { readonly weights: Float64Array; readonly biases: Float64Array };
  /**
   * `[width, width]` weights and `[width]` offsets: the squares of a row's products with the weights, less the offsets, sum
   * up to its leverage, but for what the bias adds.
   */
  readonly whitening: { readonly weights: Float32Array; readonly offsets: Float64Array };
}

/** Least variance of a column, in squared units, below which it counts as constant and gets no weight. */
const leastVariance = 1e-5;

export interface RidgeEquations {
  readonly penalty: number;
  /** Whether columns are centred alone; otherwise they are brought to deviation 1, too. */
  readonly keepsScale: boolean;
}

/** Solves the normal equations of standardized features, with `penalty` on their diagonal, by Cholesky's decomposition. */
export function createRidgeSolver(
  sums: ExactSums,
  width: number,
  { penalty, keepsScale }: RidgeEquations,
): RidgeSolver {
  const { counted } = sums;
  const means = sums.sums.map((sum) => sum / counted);
  const covariance = (row: number, column: number) =>
    ((sums.products[row * width + column] ?? 0) - ((sums.sums[row] ?? 0) * (sums.sums[column] ?? 0)) / counted) /
    counted;
  const scales = means.map((_, column) => {
    const variance = covariance(column, column);
    if (keepsScale) return sums.units[column] ?? 1;
    return variance > leastVariance ? 1 / Math.sqrt(variance) : 0;
  });
  const matrix = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column <= row; column++) {
      matrix[row * width + column] = covariance(row, column) * (scales[row] ?? 0) * (scales[column] ?? 0);
    }
    matrix[row * width + row] = (matrix[row * width + row] ?? 0) + penalty / counted;
  }
  choleskyInPlace(matrix, width);
  const inverse = lowerInverse(matrix, width);
  const rowOf = (row: number) => inverse.subarray(row * width, (row + 1) * width);
  // Features as they are count in units, features in the sums in those.
  const plainScales = scales.map((scale, column) => scale / (sums.units[column] ?? 0));
  let last: { readonly labels: Int32Array; readonly weights: Float64Array; readonly biases: Float64Array } | undefined;

  /** What the features of a class's rows have to do with belonging to it. */
  const targetOf = ({ sizes, sums: all }: ClassSums, index: number) => {
    const size = sizes[index] ?? 0;
    const sum = all.subarray(index * width, (index + 1) * width);
    return {
      share: size / counted,
      target: sum.map((value, column) => ((value - size * (means[column] ?? 0)) * (scales[column] ?? 0)) / counted), // prettier-ignore
    };
  };

  return {
    weightsFor: (labels, classes) => {
      const before = last?.biases.length === classes ? last : undefined;
      const changed = before ? classesThatChanged(before.labels, labels) : [...Array(classes).keys()];
      const weights = before ? before.weights.slice() : new Float64Array(classes * width);
      const biases = before ? before.biases.slice() : new Float64Array(classes);
      const ofClasses = sums.ofClasses(labels, classes);
      const solved = changed.map((index) => ({
        index,
        ...targetOf(ofClasses, index),
        out: weights.subarray(index * width, (index + 1) * width).fill(0),
      }));
      const none = { target: new Float64Array(width), out: new Float64Array(width) };
      for (let from = 0; from < solved.length; from += 4) {
        const [a = none, b = none, c = none, d = none] = solved.slice(from, from + 4);
        addGramProducts(inverse, width, [a.target, b.target, c.target, d.target], [a.out, b.out, c.out, d.out]);
      }
      for (const { index, share, out } of solved) {
        let bias = share;
        for (let column = 0; column < width; column++) {
          bias -= (out[column] ?? 0) * (scales[column] ?? 0) * (means[column] ?? 0);
          out[column] = (out[column] ?? 0) * (plainScales[column] ?? 0);
        }
        biases[index] = bias;
      }
      last = { labels: labels.slice(), weights, biases };
      return { weights, biases };
    },
    whitening: {
      weights: columnsTimes(inverse, plainScales),
      offsets: means.map((_, row) => {
        const line = rowOf(row);
        let offset = 0;
        for (let column = 0; column <= row; column++) {
          offset += (line[column] ?? 0) * (scales[column] ?? 0) * (means[column] ?? 0);
        }
        return offset;
      }),
    },
  };
}

/** Each column of rows times its factor, as float32. */
function columnsTimes(rows: Float64Array, factors: Float64Array): Float32Array {
  const out = new Float32Array(rows.length);
  for (let from = 0; from < rows.length; from += factors.length) {
    for (let column = 0; column < factors.length; column++) {
      out[from + column] = (rows[from + column] ?? 0) * (factors[column] ?? 0);
    }
  }
  return out;
}

/** The classes that have other rows than before. */
function classesThatChanged(before: Int32Array, now: Int32Array): number[] {
  const changed = new Set<number>();
  now.forEach((label, row) => {
    if (label !== before[row]) changed.add(label).add(before[row] ?? 0);
  });
  changed.delete(-1);
  return [...changed];
}
