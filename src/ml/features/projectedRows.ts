import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import { float32Tensor } from '../graph/tensor.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { featuresInput } from '../networks/network.ts';
import { linear } from '../operators/matmul/linear.ts';
import { evenlySpaced } from '../data/evenlySpaced.ts';
import type { HeadRows } from './ridgeHead.ts';
import { type FeatureRows, standardized } from './softmaxHead.ts';
import { choleskyInPlace, lowerInverse } from './symmetricMatrix.ts';

/** Rows that are multiplied at a time. */
const batchRows = 1024;
/** Share of the mean diagonal that is added to the equations: products of float32 are not exact. */
const jitter = 1e-4;

/**
 * Rows of at most `widest` numbers, for a head whose equations grow with the cube of the width. Wider rows are brought to
 * mean 0 and deviation 1, unless they keep their scale, and projected onto the space of `widest` of them, evenly spaced (Nyström's method: Williams and
 * Seeger 2001), which changes no product of two rows if there are no more rows than that. Their order must not depend on
 * labels, as that of digests does not.
 */
export async function projectedRows(
  rows: HeadRows,
  counts: (row: number) => boolean,
  widest: number,
  placement: Placement,
): Promise<HeadRows> {
  const { width } = rows;
  const kept = [...Array(rows.features.length / width).keys()].filter(counts);
  if (width <= widest || kept.length === 0) return rows;
  const even = rows.keepsScale ? rows : standardized(rows, counts);
  const chosen = evenlySpaced(kept, widest);
  const size = chosen.length;
  const some = new Float32Array(size * width);
  chosen.forEach((row, at) => some.set(even.features.subarray(row * width, (row + 1) * width), at * width));
  const products = await multiply(even, some, placement);
  const matrix = new Float64Array(size * size);
  chosen.forEach((row, at) => {
    for (let other = 0; other <= at; other++) matrix[at * size + other] = products[row * size + other] ?? 0;
  });
  let trace = 0;
  for (let at = 0; at < size; at++) trace += matrix[at * size + at] ?? 0;
  // Of images that are all the same, it is 0.
  const added = trace > 0 ? (jitter * trace) / size : 1;
  for (let at = 0; at < size; at++) matrix[at * size + at] = (matrix[at * size + at] ?? 0) + added;
  choleskyInPlace(matrix, size);
  const features = await multiply({ width: size, features: products }, Float32Array.from(lowerInverse(matrix, size)), placement); // prettier-ignore
  return { width: size, features, projectedFrom: width, keepsScale: true };
}

/** Products of all rows with `others` `[count, width]`: `[rows, count]`. */
async function multiply(
  { width, features }: FeatureRows,
  others: Float32Array,
  { engine, device }: Placement,
): Promise<Float32Array> {
  const count = others.length / width;
  const graphFor = (batchSize: number) => {
    const builder = createGraphBuilder();
    return finishGraph(builder, [linear(builder, 'others', input(builder, featuresInput, [batchSize, width]), count, false)]); // prettier-ignore
  };
  const state = new Map([['others.weight', float32Tensor([count, width], others)]]);
  const model = await engine.compileInference(graphFor, state, device);
  try {
    const products = new Float32Array((features.length / width) * count);
    for (let from = 0; from < features.length / width; from += batchRows) {
      const part = features.slice(from * width, (from + batchRows) * width);
      const [found] = (await model.run(new Map([[featuresInput, float32Tensor([part.length / width, width], part)]]))).values(); // prettier-ignore
      if (found?.dtype !== 'float32') throw new Error('the product gave no float32 output');
      products.set(found.data, from * count);
    }
    return products;
  } finally {
    await model.dispose();
  }
}
