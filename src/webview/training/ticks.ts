import type { Range } from './downsample.ts';

/** Round values inside a range, about `wanted` of them, in steps of 1, 2 or 5 times a power of ten. */
export function linearTicks({ min, max }: Range, wanted: number): number[] {
  const rough = (max - min) / Math.max(1, wanted);
  if (!(rough > 0) || !Number.isFinite(rough)) return [min];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(min / step);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** 1, 2 and 5 times the powers of ten inside a range above 0. */
export function logTicks({ min, max }: Range): number[] {
  const powers = Math.ceil(Math.log10(max)) - Math.floor(Math.log10(min)) + 1;
  const first = Math.floor(Math.log10(min));
  return Array.from({ length: powers }, (_, index) => 10 ** (first + index))
    .flatMap((power) => [power, 2 * power, 5 * power])
    .filter((tick) => tick >= min && tick <= max)
    .map((tick) => Number(tick.toPrecision(12)));
}
