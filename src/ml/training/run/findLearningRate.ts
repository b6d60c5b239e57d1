import { userError } from '../../../protocol/errors.ts';
import type { RatePoint, RateRange } from '../../../protocol/dryRun.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import { rateRangeTest } from '../loop/rateRange.ts';
import { suggestRate, type RateSuggestion } from '../loop/suggestRate.ts';
import { dryRun, type DryRunOptions } from './dryRun.ts';

export interface RateOptions extends DryRunOptions {
  /** What to do if the loss diverges before there is something to suggest, as the caller's users can do it. */
  readonly advice: string;
  /** Hears of each step. */
  readonly onPoint?: (point: RatePoint, done: number) => void;
}

export interface FoundRate extends RateSuggestion {
  readonly points: readonly RatePoint[];
}

/** Fewer say nothing. */
const leastPoints = 10;

/**
 * A learning-rate range test of a configuration: the very network, images, batches and optimizer that a run of it would
 * begin with. Leaves nothing behind. Throws a user error where nothing can be trained, or the loss diverges at once.
 */
export async function findLearningRate(
  config: GivenConfig,
  range: RateRange,
  { advice, onPoint, ...shared }: RateOptions,
): Promise<FoundRate> {
  const points: RatePoint[] = [];
  const loop = rateRangeTest(range, (point) => {
    points.push(point);
    onPoint?.(point, points.length);
  });
  // Every step has its own rate, whatever the configuration says.
  await dryRun(config, loop, shared);
  if (points.length < leastPoints) {
    throw userError(
      `The loss diverged after ${points.length} of ${range.steps} learning rates, too few to suggest one: ${advice}.`,
    );
  }
  return { points, ...suggestRate(points) };
}
