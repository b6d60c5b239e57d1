import type { Tensor } from '../../graph/tensor.ts';

/** Exact figures over images, however they were cut into batches. */
export interface Metrics {
  readonly images: number;
  /** Mean of `-log p(actual class)` over the images: no smoothing, no class weights. NaN without images. */
  readonly loss: number;
  /** Share of the images whose most probable class is the actual one. */
  readonly accuracy: number;
  /** Share of the images whose actual class is among the five most probable; 1 with five classes or fewer. */
  readonly top5: number;
}

export interface MetricsCounter {
  /** Counts one batch: log-probabilities `[N, classes]` and the N actual classes. */
  add(logProbabilities: Tensor & { dtype: 'float32' }, labels: Int32Array): void;
  result(): Metrics;
}

export function createMetrics(): MetricsCounter {
  let images = 0;
  let loss = 0;
  let right = 0;
  let amongFive = 0;
  return {
    add: ({ data, shape }, labels) => {
      const classes = shape[1] ?? 0;
      if (shape[0] !== labels.length) throw new RangeError(`${shape[0] ?? 0} rows do not fit ${labels.length} labels`);
      labels.forEach((label, row) => {
        const values = data.subarray(row * classes, (row + 1) * classes);
        const rank = rankOf(values, label);
        images++;
        loss -= values[label] ?? Number.NaN;
        right += Number(rank === 0);
        amongFive += Number(rank < 5);
      });
    },
    result: () => ({ images, loss: loss / images, accuracy: right / images, top5: amongFive / images }),
  };
}

/** How many classes are ahead of `label`. Of equals the one with the lower index is ahead; NaN is behind everything. */
function rankOf(values: Float32Array, label: number): number {
  const own = values[label] ?? Number.NaN;
  if (Number.isNaN(own)) return Number.POSITIVE_INFINITY;
  let ahead = 0;
  values.forEach((value, index) => {
    if (value > own || (value === own && index < label)) ahead++;
  });
  return ahead;
}
