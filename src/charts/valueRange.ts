import { percent, short } from './format.ts';
import type { ChartKind } from './curve.ts';
import type { Range } from './downsample.ts';
import { linearTicks, logTicks, tickStep } from './ticks.ts';

const ticks = 6;

/**
 * The y axis for values from `min` to `max`, from tick to tick: from 0 where the values reach down to half of their
 * height, around them where they lie close together. Shares stay within 0 to 1. Infinite limits: no values.
 */
export function valueRange(kind: ChartKind, { min, max }: Range): Range {
  if (kind.whole === true) return { min: 0, max: 1 };
  if (!Number.isFinite(min) || !Number.isFinite(max)) return kind.log ? { min: 0.1, max: 10 } : { min: 0, max: 1 };
  if (kind.log) return { min: min / 1.15, max: max * 1.15 };
  const wide = min === max ? aroundOne(min) : { min: min >= 0 && min < max / 2 ? 0 : min, max };
  const step = tickStep(wide, ticks);
  const snapped = { min: Math.floor(wide.min / step) * step, max: Math.ceil(wide.max / step - 1e-9) * step };
  return kind.percent ? { min: Math.max(0, snapped.min), max: Math.min(1, snapped.max) } : snapped;
}

function aroundOne(value: number): Range {
  if (value === 0) return { min: 0, max: 1 };
  return value < 0 ? { min: 2 * value, max: 0 } : { min: 0, max: 2 * value };
}

/** Where the y axis has its ticks. */
export function valueTicks({ log }: ChartKind, range: Range): number[] {
  return log ? logTicks(range) : linearTicks(range, ticks);
}

/** A tick's label, with as many digits as tell it from its neighbours. */
export function valueLabel({ percent: share, log }: ChartKind, value: number, all: readonly number[]): string {
  const [first = 0, second = first] = all;
  const step = Math.abs(second - first);
  if (share) return percent(value, step > 0 ? Math.max(0, -Math.floor(Math.log10(step * 100) + 1e-9)) : 0);
  if (log || !(step >= 1e-3) || Math.abs(value) >= 1e5) return short(value, 4);
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
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
