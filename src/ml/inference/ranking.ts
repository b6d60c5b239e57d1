import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import type { RankedClass } from '../../protocol/prediction.ts';

/**
 * The mean of several rows of probabilities, class by class: a five-crop prediction is the mean of the softmax of each
 * crop, not the softmax of a mean. Throws `RangeError` for no rows.
 */
export function meanProbabilities(rows: readonly Float32Array[]): Float64Array {
  const [first] = rows;
  if (!first) throw new RangeError('there is no crop to average over');
  const mean = new Float64Array(first.length);
  for (const row of rows) {
    for (let index = 0; index < mean.length; index++) mean[index] = (mean[index] ?? 0) + (row[index] ?? 0);
  }
  return mean.map((sum) => sum / rows.length);
}

/**
 * The `count` likeliest classes, likeliest first, equal ones in the order of their index. `labels[i]` belongs to
 * `probabilities[i]`, so that index, folder and name cannot come apart. `told` are the probabilities of the result, where
 * these are others of the same order.
 */
export function rankClasses(
  probabilities: ArrayLike<number>,
  labels: readonly ClassLabel[],
  count: number,
  told?: ArrayLike<number>,
): RankedClass[] {
  const isAhead = (a: RankedClass, b: RankedClass) =>
    a.probability > b.probability || (a.probability === b.probability && a.index < b.index);
  const ranked: (RankedClass & { readonly position: number })[] = [];
  for (const [position, label] of labels.entries()) {
    const own = { ...label, probability: probabilities[position] ?? 0, position };
    const last = ranked.at(-1);
    if (ranked.length >= count && (!last || !isAhead(own, last))) continue;
    const place = ranked.findIndex((other) => isAhead(own, other));
    ranked.splice(place < 0 ? ranked.length : place, 0, own);
    if (ranked.length > count) ranked.pop();
  }
  return ranked.map(({ position, ...own }) => (told ? { ...own, probability: told[position] ?? 0 } : own));
}

/** In place: logits or log-probabilities `[N, classes]`, row by row, become probabilities (softmax). */
export function softmaxRows(values: Float32Array, classes: number): Float32Array {
  for (let start = 0; start < values.length; start += classes) {
    const row = values.subarray(start, start + classes);
    const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
    let sum = 0;
    for (let index = 0; index < classes; index++) sum += Math.exp((row[index] ?? 0) - top);
    for (let index = 0; index < classes; index++) row[index] = Math.exp((row[index] ?? 0) - top) / sum;
  }
  return values;
}
