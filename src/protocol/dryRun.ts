import * as z from 'zod';
import { between, count, line, list, loss, positive } from './bounded.ts';
import { givenConfigSchema } from './trainingConfig.ts';

/*
 * A dry run begins a training, takes some steps and ends, to find out something before the run itself. The editor forks a
 * process for it, whose first message is the request; it answers over the same channel and ends with it.
 */

/** Which learning rates a range test tries. */
export const rateRangeSchema = z.object({ from: positive(1000), to: positive(1000), steps: count() });
export type RateRange = z.infer<typeof rateRangeSchema>;

/** The range that is tried if nothing else is asked for. */
export const usualRateRange: RateRange = { from: 1e-6, to: 1, steps: 100 };

/** The loss of a step that was taken at a learning rate, before it moved anything. */
export const ratePointSchema = z.object({ learningRate: positive(1000), loss: loss() });
export type RatePoint = z.infer<typeof ratePointSchema>;

/** Most learning rates that are tried. */
const mostRates = 10_000;

/** Where the loss falls fastest (absent where it does not fall) and where it is least, by the smoothed losses. */
export const rateFoundSchema = z.object({
  points: list(ratePointSchema, mostRates),
  smoothed: list(loss(), mostRates),
  steepest: positive(1000).optional(),
  least: positive(1000),
});
export type RateFound = z.infer<typeof rateFoundSchema>;

/** How long a run would take and how much memory, by a few of its steps. An estimate: a machine has other work too. */
export const runEstimateSchema = z.object({
  /** Of the whole run, without an early stop. */
  seconds: between(0, 1e12),
  /** Of the process, at most. */
  memoryBytes: count(),
  /** Until the first step. */
  setupSeconds: between(0, 1e9),
  steps: count(),
  /** Steps in which images come up for the first time, and seconds of one of them; and of one of the others. */
  firstSteps: count(),
  firstStepSeconds: between(0, 1e9),
  laterStepSeconds: between(0, 1e9),
  validations: count(),
  firstValidationSeconds: between(0, 1e9),
  laterValidationSeconds: between(0, 1e9),
  /** Steps that were taken for this. */
  measuredSteps: count(),
  device: line(),
});
export type RunEstimate = z.infer<typeof runEstimateSchema>;

export const dryRunRequestSchema = z.discriminatedUnion('what', [
  z.object({ what: z.literal('rate'), config: givenConfigSchema, range: rateRangeSchema }),
  z.object({ what: z.literal('estimate'), config: givenConfigSchema }),
]);
export type DryRunRequest = z.infer<typeof dryRunRequestSchema>;

export const dryRunAnswerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), what: line(), done: z.number(), total: z.number().optional() }),
  z.object({ type: z.literal('log'), level: z.enum(['info', 'warning', 'error']), message: line() }),
  z.object({ type: z.literal('point'), point: ratePointSchema }),
  /** Either of these is the last. */
  z.object({ type: z.literal('rate'), rate: rateFoundSchema }),
  z.object({ type: z.literal('estimate'), estimate: runEstimateSchema }),
  /** `user` errors are shown as they are; others are bugs. */
  z.object({ type: z.literal('error'), kind: z.enum(['user', 'cancelled', 'bug']), message: line() }),
]);
export type DryRunAnswer = z.infer<typeof dryRunAnswerSchema>;
