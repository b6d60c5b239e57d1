import type { Range } from './downsample.ts';

/** The step of 1, 2 or 5 times a power of ten that divides a range into about `wanted` parts; at least `smallest`. */
export function tickStep({ min, max }: Range, wanted: number, smallest = 0): number {
  const rough = Math.max((max - min) / Math.max(1, wanted), smallest);
  if (!(rough > 0) || !Number.isFinite(rough)) return 0;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10);
}

/** The multiples of `step` inside a range; its start alone where there is no step. */
export function multiples({ min, max }: Range, step: number): number[] {
  if (!(step > 0)) return [min];
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** Round values inside a range, about `wanted` of them. */
export function linearTicks(range: Range, wanted: number, smallest = 0): number[] {
  return multiples(range, tickStep(range, wanted, smallest));
}

const fewestTicks = 3;
const manyDecades = 3;

/** 1, 2 and 5 times the powers of ten inside a range above 0; powers alone over many, evenly spaced ones over few. */
export function logTicks(range: Range): number[] {
  const { min, max } = range;
  const first = Math.floor(Math.log10(min));
  const powers = Math.ceil(Math.log10(max)) - first + 1;
  const factors = powers > manyDecades + 1 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: powers }, (_, index) => 10 ** (first + index))
    .flatMap((power) => factors.map((factor) => factor * power))
    .filter((tick) => tick >= min && tick <= max)
    .map((tick) => Number(tick.toPrecision(12)));
  return ticks.length < fewestTicks ? linearTicks(range, 5).filter((tick) => tick > 0) : ticks;
}
