import type { HeadRows } from './ridgeHead.ts';
import type { FeatureRows } from './softmaxHead.ts';

/**
 * Signed square roots of features (power normalization: Perronnin, Sánchez and Mensink 2010), each number brought to mean 0
 * over the rows that count, and all of them together to deviation 1. A head over a few labels is right more often with
 * these than with numbers that have deviation 1 each, of which rare ones count too much. Rows that do not count become 0.
 */
export function rootedRows({ width, features }: FeatureRows, counts: (row: number) => boolean): HeadRows {
  const rooted = features.map((value) => Math.sign(value) * Math.sqrt(Math.abs(value)));
  const kept = [...Array(features.length / width).keys()].filter(counts);
  const means = new Float64Array(width);
  for (const row of kept) for (let column = 0; column < width; column++) means[column] = (means[column] ?? 0) + (rooted[row * width + column] ?? 0) / kept.length; // prettier-ignore
  const even = new Float32Array(features.length);
  let squares = 0;
  for (const row of kept) {
    for (let column = 0; column < width; column++) {
      const value = (rooted[row * width + column] ?? 0) - (means[column] ?? 0);
      even[row * width + column] = value;
      squares += value ** 2;
    }
  }
  const deviation = Math.sqrt(squares / Math.max(1, kept.length * width));
  return { width, features: deviation > 0 ? even.map((value) => value / deviation) : even, keepsScale: true };
}
