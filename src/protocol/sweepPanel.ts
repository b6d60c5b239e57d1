import * as z from 'zod';
import { between, count, epoch, line, list, loss, mostImages, name, sentence, whole } from './bounded.ts';
import { failureCauses, mostTrials } from './sweep.ts';

/** Messages between the page that shows a sweep and its host, which replays after `ready`. */

const score = { accuracy: between(0, 1), loss: loss() };

/** A trial as the page shows it. */
const shownTrialSchema = z.object({
  trial: whole(1, mostTrials),
  settings: z.record(z.string(), z.unknown()),
  /** Name of its run, where that is there to be shown. */
  run: name(1).exactOptional(),
  state: z.enum(['waiting', 'begun', 'behind', 'finished', 'failed']),
  ...{ accuracy: score.accuracy.exactOptional(), loss: score.loss.exactOptional() },
  /** Epochs after which the score was taken. */
  epochs: count().exactOptional(),
  first: z.object({ ...score, epochs: count() }).exactOptional(),
  reason: sentence().exactOptional(),
  cause: z.enum(failureCauses).exactOptional(),
  /** Epochs that the run of a trial that trains has done. */
  progress: epoch().exactOptional(),
});
export type ShownTrial = z.infer<typeof shownTrialSchema>;

const dimensionSchema = z.union([
  z.object({ setting: name(1), values: list(z.unknown(), 1000) }),
  z.object({ setting: name(1), low: z.number(), high: z.number(), isLog: z.boolean(), isWhole: z.boolean() }),
]);

const sweepStates = ['running', 'stopping', 'finished', 'stopped', 'broken off'] as const;

export const sweepPanelToPageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('sweep'),
    name: name(),
    state: z.enum(sweepStates),
    dimensions: list(dimensionSchema, 1000),
    /** Trials in all, those among them whose settings are not chosen yet. */
    total: whole(0, mostTrials),
    /** Epochs after which trials are compared; the last is all of them. */
    rungs: list(count(), 100),
    /** Images on which the trials are validated, where a run has said so. */
    images: whole(0, mostImages).exactOptional(),
  }),
  /** The trials that changed; all of them to a page that begins anew. */
  z.object({ type: z.literal('trials'), trials: list(shownTrialSchema, mostTrials) }),
  /** The sweep cannot be shown, or something could not be done. */
  z.object({ type: z.literal('error'), message: line() }),
]);
export type SweepPanelToPage = z.infer<typeof sweepPanelToPageSchema>;

/** Runs are named as the host named them. */
export const sweepPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('show'), runs: list(name(1), mostTrials) }),
  z.object({ type: z.literal('stop') }),
  z.object({ type: z.literal('resume') }),
]);
export type SweepPanelToHost = z.infer<typeof sweepPanelToHostSchema>;
