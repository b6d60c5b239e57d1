import type { ChartKind } from './curve.ts';
import type { Range } from './downsample.ts';

const margin = 0.05;

/** The y axis for values from `min` to `max`, with some room; shares stay within 0 to 1. Infinite limits: no values. */
export function valueRange(kind: ChartKind, min: number, max: number): Range {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return kind.log ? { min: 0.1, max: 10 } : { min: 0, max: 1 };
  if (kind.log) return { min: min / 1.15, max: max * 1.15 };
  const room = (max - min) * margin || Math.abs(max) * margin || margin;
  const wide = { min: min - room, max: max + room };
  if (kind.percent) return { min: Math.max(0, wide.min), max: Math.min(1, Math.max(wide.max, wide.min + 0.01)) };
  return { min: min >= 0 ? Math.max(0, wide.min) : wide.min, max: wide.max };
}

/** Lowest and highest of some values; infinite where there are none. On a logarithmic axis only those above 0 count. */
export function extent(lists: readonly Float64Array[], log: boolean): Range {
  const range = { min: Infinity, max: -Infinity };
  for (const values of lists) {
    for (const value of values) {
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      if (value < range.min) range.min = value;
      if (value > range.max) range.max = value;
    }
  }
  return range;
}
