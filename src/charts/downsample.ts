import { countUpTo } from './columns.ts';

export type Points = { x: Float64Array; y: Float64Array };
export type Range = { min: number; max: number };

/**
 * Points for drawing a curve in `buckets` columns of pixels: of every column the lowest and the highest, in their order,
 * so that no spike is lost; and one point beyond either edge, so that lines run out of the picture. All of them where
 * they are few. Points that are not finite are left out. `x` rises.
 */
export function downsample(points: Points, range: Range, buckets: number): Points {
  const from = Math.max(0, countUpTo(points.x, range.min) - 2);
  const to = Math.min(points.x.length, countUpTo(points.x, range.max) + 1);
  const picked = to - from <= buckets * 2 ? finite(points, from, to) : extremes(points, from, to, range, buckets);
  return {
    x: Float64Array.from(picked, (index) => points.x[index] ?? NaN),
    y: Float64Array.from(picked, (index) => points.y[index] ?? NaN),
  };
}

function finite({ y }: Points, from: number, to: number): number[] {
  const kept: number[] = [];
  for (let index = from; index < to; index++) if (Number.isFinite(y[index])) kept.push(index);
  return kept;
}

function extremes({ x, y }: Points, from: number, to: number, { min, max }: Range, buckets: number): number[] {
  const picked: number[] = [];
  const scale = buckets / Math.max(max - min, Number.MIN_VALUE);
  let bucket = -Infinity;
  let lowest = -1;
  let highest = -1;
  const close = () => {
    if (lowest < 0) return;
    picked.push(Math.min(lowest, highest));
    if (lowest !== highest) picked.push(Math.max(lowest, highest));
  };
  for (let index = from; index < to; index++) {
    const value = y[index] ?? NaN;
    if (!Number.isFinite(value)) continue;
    const own = Math.floor(((x[index] ?? 0) - min) * scale);
    if (own !== bucket) {
      close();
      bucket = own;
      lowest = index;
      highest = index;
    } else if (value < (y[lowest] ?? 0)) lowest = index;
    else if (value > (y[highest] ?? 0)) highest = index;
  }
  close();
  return picked;
}
