import type { CropPrediction } from '../../protocol/prediction.ts';

/** Rows of numbers from 0 to 1. */
export type HeatMap = readonly (readonly number[])[];

/** A map and the part of the picture that it lies on, in the picture's own pixels. */
export type PlacedMap = { map: HeatMap; frame: CropPrediction['frame'] };

/** The value of a map at a place of its area, both from 0 to 1, evenly between the middles of its cells. */
export function valueAt(map: HeatMap, x: number, y: number): number {
  const width = map[0]?.length ?? 0;
  const clamped = (place: number, size: number) => Math.min(size - 1, Math.max(0, place * size - 0.5));
  const [column, row] = [clamped(x, width), clamped(y, map.length)];
  const [left, upper] = [Math.floor(column), Math.floor(row)];
  const cell = (at: number, from: number) => map[Math.min(map.length - 1, at)]?.[Math.min(width - 1, from)] ?? 0;
  const along = (at: number) => cell(at, left) + (cell(at, left + 1) - cell(at, left)) * (column - left);
  return along(upper) + (along(upper + 1) - along(upper)) * (row - upper);
}

/** The mean of the maps that lie on a place of the picture, in its pixels; 0 where none does. */
export function meanAt(placed: readonly PlacedMap[], x: number, y: number): number {
  let [sum, count] = [0, 0];
  for (const { map, frame } of placed) {
    const [across, down] = [(x - frame.left) / frame.width, (y - frame.top) / frame.height];
    if (across < 0 || across > 1 || down < 0 || down > 1) continue;
    sum += valueAt(map, across, down);
    count++;
  }
  return count === 0 ? 0 : sum / count;
}
