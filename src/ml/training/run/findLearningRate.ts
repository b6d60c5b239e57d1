import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cancelled, userError } from '../../../protocol/errors.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import { rateRangeTest } from '../loop/rateRange.ts';
import { type RatePoint, type RateRange, suggestRate, type RateSuggestion } from '../loop/suggestRate.ts';
import { trainRun, type TrainRunOptions } from './trainRun.ts';

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
  options: Pick<TrainRunOptions, 'chooseEngine' | 'signal' | 'onEvent' | 'onProgress' | 'weights'> & {
    readonly onPoint?: (point: RatePoint, done: number) => void;
  },
): Promise<FoundRate> {
  const { onPoint, ...shared } = options;
  const out = await mkdtemp(join(tmpdir(), 'fivecrop-rates-'));
  const points: RatePoint[] = [];
  const loop = rateRangeTest(range, (point) => {
    points.push(point);
    onPoint?.(point, points.length);
  });
  try {
    // Every step has its own rate, whatever the configuration says.
    const { done } = await trainRun(config, { ...shared, out, loop });
    if (done.state === 'stopped') throw cancelled();
  } finally {
    await rm(out, { recursive: true, force: true });
  }
  if (points.length < leastPoints) {
    throw userError(
      `The loss ran away after ${points.length} of ${range.steps} learning rates, which say nothing: begin with a lower one (--from), or try more (--steps).`,
    );
  }
  return { points, ...suggestRate(points) };
}
