import { userError } from '../../../protocol/errors.ts';
import type { RatePoint, RateRange } from '../../../protocol/dryRun.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import { rateRangeTest } from '../loop/rateRange.ts';
import { suggestRate, type RateSuggestion } from '../loop/suggestRate.ts';
import { dryRun, type DryRunOptions } from './dryRun.ts';

export interface FoundRate extends RateSuggestion {
  readonly points: readonly RatePoint[];
}

/** Fewer say nothing. */
const leastPoints = 10;

/**
 * A learning-rate range test of a configuration: the very network, images, batches and optimizer that a run of it would
 * begin with. Leaves nothing behind. Throws a user error where nothing can be trained, or the loss runs away at once.
 */
export async function findLearningRate(
  config: GivenConfig,
  range: RateRange,
  options: DryRunOptions & { readonly onPoint?: (point: RatePoint, done: number) => void },
): Promise<FoundRate> {
  const { onPoint, ...shared } = options;
  const points: RatePoint[] = [];
  const loop = rateRangeTest(range, (point) => {
    points.push(point);
    onPoint?.(point, points.length);
  });
  // Every step has its own rate, whatever the configuration says.
  await dryRun(config, loop, shared);
  if (points.length < leastPoints) {
    throw userError(
      `The loss ran away after ${points.length} of ${range.steps} learning rates, which say nothing: begin with a lower one (--from), or try more (--steps).`,
    );
  }
  return { points, ...suggestRate(points) };
}
