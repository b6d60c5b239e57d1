import { UMAP } from 'umap-js';
import { createRandom } from '../graph/random.ts';

/** What a map is laid out from: rows of length 1, and who lies nearest to whom among them. */
export interface LayoutTask {
  readonly width: number;
  /** `[rows, width]` */
  readonly unit: Float32Array;
  /** Neighbours of a row. */
  readonly count: number;
  /** `[rows, count]`, the nearest first. */
  readonly neighbours: Int32Array;
  /** `[rows, count]` */
  readonly cosines: Float32Array;
  readonly seed: number;
}

/** Half of the spread with which the layout begins. */
const firstSpread = 10;
/** Turns of the power method; the layout needs no exact axes. */
const powerTurns = 12;

/**
 * UMAP's layout (McInnes, Healy and Melville 2018) of rows in the plane, by the distance 1 - cosine: places `[rows, 2]` of
 * any scale. It begins with the rows' two principal axes, which keep together what lies together at large (Kobak and Linderman
 * 2021). The same task gives the same places. `onEpoch` hears how many of the epochs are done.
 */
export function layOut(task: LayoutTask, onEpoch: (done: number, total: number) => void): Float32Array {
  const { width, unit, count, neighbours, cosines, seed } = task;
  const rows = unit.length / width;
  const random = createRandom(seed, 'map');
  const umap = new UMAP({ nNeighbors: count + 1, random: () => random.next() });
  const own = <Value>(values: ArrayLike<Value>, row: number) =>
    Array.from({ length: count }, (_, at) => values[row * count + at]).filter((value) => value !== undefined);
  const all = Array.from({ length: rows }, (_, row) => row);
  // A row is its own nearest neighbour.
  umap.setPrecomputedKNN(
    all.map((row) => [row, ...own(neighbours, row)]),
    all.map((row) => [0, ...own(cosines, row).map((cosine) => Math.max(0, 1 - cosine))]),
  );
  const epochs = umap.initializeFit(all.map((row) => [row]));
  // These are the arrays that the steps move.
  const places = umap.getEmbedding();
  const axes = principalAxes(unit, width, () => random.normal());
  axes.forEach((values, axis) => {
    const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
    for (const [row, place] of places.entries()) place[axis] = (firstSpread * (values[row] ?? 0)) / most;
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    onEpoch(epoch + 1, epochs);
  }
  return Float32Array.from(umap.getEmbedding().flat());
}

/** The rows' places on their two principal axes, by the power method. */
function principalAxes(unit: Float32Array, width: number, normal: () => number): [Float64Array, Float64Array] {
  const rows = unit.length / width;
  const mean = new Float64Array(width);
  for (let at = 0; at < unit.length; at++) mean[at % width] = (mean[at % width] ?? 0) + (unit[at] ?? 0) / rows;
  const placesOn = (axis: Float64Array) =>
    Float64Array.from({ length: rows }, (_, row) => {
      let sum = 0;
      for (let column = 0; column < width; column++) {
        sum += ((unit[row * width + column] ?? 0) - (mean[column] ?? 0)) * (axis[column] ?? 0);
      }
      return sum;
    });
  const found: Float64Array[] = [];
  const axisOf = (): Float64Array => {
    let axis = Float64Array.from({ length: width }, normal);
    for (let turn = 0; turn < powerTurns; turn++) {
      const places = placesOn(axis);
      const next = new Float64Array(width);
      for (let row = 0; row < rows; row++) {
        const place = places[row] ?? 0;
        for (let column = 0; column < width; column++) {
          next[column] = (next[column] ?? 0) + place * ((unit[row * width + column] ?? 0) - (mean[column] ?? 0));
        }
      }
      for (const other of found) subtractShare(next, other);
      const length = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0)) || 1;
      axis = next.map((value) => value / length);
    }
    found.push(axis);
    return axis;
  };
  return [placesOn(axisOf()), placesOn(axisOf())];
}

/** Takes out of a vector what lies along another of length 1. */
function subtractShare(vector: Float64Array, other: Float64Array): void {
  const share = vector.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
  for (const [at, value] of other.entries()) vector[at] = (vector[at] ?? 0) - share * value;
}
