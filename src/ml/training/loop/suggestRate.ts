import type { RatePoint, RateRange } from '../../../protocol/dryRun.ts';

export interface RateSuggestion {
  /** The losses, each with the mean of its neighbours, which single batches move less. */
  readonly smoothed: readonly number[];
  /** Where the loss falls fastest; undefined where it does not fall. */
  readonly steepest: number | undefined;
  /** Where the loss is least. */
  readonly least: number;
}

/** From `from` to `to` by equal factors. */
export function learningRates({ from, to, steps }: RateRange): number[] {
  const rate = (index: number) => from * (to / from) ** (index / Math.max(1, steps - 1));
  return Array.from({ length: steps }, (_, index) => (index === steps - 1 ? to : rate(index)));
}

/** Steps on either side that a loss is averaged with, as a share of all. */
const neighbours = 0.05;

/** What the losses at growing rates, at least 3, say of the rate to train with. */
export function suggestRate(points: readonly RatePoint[]): RateSuggestion {
  const reach = Math.max(1, Math.round(points.length * neighbours));
  const smoothed = points.map((_, index) => {
    const near = points.slice(Math.max(0, index - reach), index + reach + 1);
    return near.reduce((sum, { loss }) => sum + loss, 0) / near.length;
  });
  const bottom = smoothed.indexOf(Math.min(...smoothed));
  const slopes = smoothed.slice(0, bottom + 1).map((_, index) => slopeAt(smoothed, index, reach));
  const fastest = slopes.indexOf(Math.min(...slopes));
  const falls = (slopes[fastest] ?? 0) < 0;
  return {
    smoothed,
    steepest: falls ? points[fastest]?.learningRate : undefined,
    least: points[bottom]?.learningRate ?? Number.NaN,
  };
}

/** The slope of the line through a loss and those about it (least squares), per step, and so per equal factor of the rate. */
function slopeAt(losses: readonly number[], index: number, reach: number): number {
  const from = Math.max(0, index - reach);
  const near = losses.slice(from, index + reach + 1);
  const middle = (near.length - 1) / 2;
  const mean = near.reduce((sum, loss) => sum + loss, 0) / near.length;
  const spread = near.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  return near.reduce((sum, loss, at) => sum + (at - middle) * (loss - mean), 0) / spread;
}
