import * as z from 'zod';
import { count, line, list, positive } from './bounded.ts';
import { rateFoundSchema, ratePointSchema, runEstimateSchema } from './dryRun.ts';
import { samplesSchema } from './samples.ts';

/** Messages between the page that looks ahead at a training and its host, which replays after `ready`. */

/** What the page can find out. */
export const lookAheads = ['rate', 'estimate', 'samples'] as const;
export type LookAhead = (typeof lookAheads)[number];

export const dryRunPanelToPageSchema = z.discriminatedUnion('type', [
  /** What would be trained: a title, and its settings in words. */
  z.object({ type: z.literal('setup'), title: line(), settings: line() }),
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: line(), done: z.number(), total: z.number() }),
  /** All learning rates that were tried so far; none where a range test begins. */
  z.object({ type: z.literal('points'), points: list(ratePointSchema, 10_000) }),
  z.object({ type: z.literal('rate'), rate: rateFoundSchema }),
  z.object({ type: z.literal('estimate'), estimate: runEstimateSchema }),
  z.object({ type: z.literal('samples'), samples: samplesSchema }),
  z.object({ type: z.literal('error'), message: line() }),
]);
export type DryRunPanelToPage = z.infer<typeof dryRunPanelToPageSchema>;

export const dryRunPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('rate') }),
  z.object({ type: z.literal('estimate') }),
  /** Both from 0 on. */
  z.object({ type: z.literal('samples'), epoch: count(), batch: count() }),
  z.object({ type: z.literal('cancel') }),
  /** Back to the last question of *Train Model*, with another learning rate or as it was. */
  z.object({ type: z.literal('back'), learningRate: positive(1000).optional() }),
  z.object({ type: z.literal('open'), image: line() }),
]);
export type DryRunPanelToHost = z.infer<typeof dryRunPanelToHostSchema>;
