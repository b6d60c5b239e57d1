import { cancelled } from '../../protocol/errors.ts';
import { createGraphBuilder, finishGraph, input } from '../graph/builder.ts';
import { float32Tensor } from '../graph/tensor.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { featuresInput } from '../networks/network.ts';
import { linear } from '../operators/matmul/linear.ts';
import type { FeatureRows } from './softmaxHead.ts';

/** The nearest other rows of each row, by the cosine of their features. */
export interface Neighbours {
  /** Neighbours of a row. */
  readonly count: number;
  /** `[rows, count]`, the nearest first; -1 if there are fewer. */
  readonly rows: Int32Array;
  /** `[rows, count]`: cosines, from -1 to 1. */
  readonly cosines: Float32Array;
}

/** Rows that are compared at a time: with so many others, so many of them. */
const [blockRows, queryRows] = [8192, 512];

/**
 * Finds the `count` nearest of the rows that count, for each of them, exactly: every pair is compared by the engine's
 * matrix product. Throws a cancellation once `signal` is aborted.
 */
export async function nearestNeighbours(
  { width, features }: FeatureRows,
  counts: (row: number) => boolean,
  count: number,
  { engine, device }: Placement,
  signal?: AbortSignal,
): Promise<Neighbours> {
  const all = features.length / width;
  const kept = [...Array(all).keys()].filter(counts);
  const unit = unitRows(features, width, kept);
  const found: Neighbours = {
    count,
    rows: new Int32Array(all * count).fill(-1),
    cosines: new Float32Array(all * count).fill(-Infinity),
  };
  for (let from = 0; from < kept.length; from += blockRows) {
    const block = unit.subarray(from * width, (from + blockRows) * width);
    const size = block.length / width;
    const graphFor = (batchSize: number) => {
      const builder = createGraphBuilder();
      const queries = input(builder, featuresInput, [batchSize, width]);
      return finishGraph(builder, [linear(builder, 'others', queries, size, false)]);
    };
    const model = await engine.compileInference(graphFor, new Map([['others.weight', float32Tensor([size, width], block)]]), device); // prettier-ignore
    try {
      for (let first = 0; first < kept.length; first += queryRows) {
        if (signal?.aborted) throw cancelled();
        const queries = unit.subarray(first * width, (first + queryRows) * width);
        const feeds = new Map([[featuresInput, float32Tensor([queries.length / width, width], queries)]]);
        const [cosines] = (await model.run(feeds)).values();
        if (cosines?.dtype !== 'float32') throw new Error('the product gave no float32 output');
        for (let at = 0; at < queries.length / width; at++) {
          keepNearest(found, kept, first + at, from, cosines.data.subarray(at * size, (at + 1) * size));
        }
      }
    } finally {
      await model.dispose();
    }
  }
  return found;
}

/** Puts what of a block is nearer into a row's list, which stays sorted. */
function keepNearest(
  found: Neighbours,
  kept: readonly number[],
  query: number,
  from: number,
  cosines: Float32Array,
): void {
  const { count } = found;
  const start = (kept[query] ?? 0) * count;
  const rows = found.rows.subarray(start, start + count);
  const best = found.cosines.subarray(start, start + count);
  for (let at = 0; at < cosines.length; at++) {
    const cosine = cosines[at] ?? 0;
    if (cosine <= (best[count - 1] ?? 0) || from + at === query) continue;
    let place = count - 1;
    for (; place > 0 && cosine > (best[place - 1] ?? 0); place--) {
      best[place] = best[place - 1] ?? 0;
      rows[place] = rows[place - 1] ?? -1;
    }
    best[place] = cosine;
    rows[place] = kept[from + at] ?? -1;
  }
}

/** The kept rows, one after another, each brought to length 1. */
export function unitRows(features: Float32Array, width: number, kept: readonly number[]): Float32Array {
  const unit = new Float32Array(kept.length * width);
  kept.forEach((row, at) => {
    const own = features.subarray(row * width, (row + 1) * width);
    const length = lengthOf(own);
    for (let column = 0; column < width; column++) {
      unit[at * width + column] = length > 0 ? (own[column] ?? 0) / length : 0;
    }
  });
  return unit;
}

function lengthOf(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}
