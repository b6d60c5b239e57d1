import * as z from 'zod';
import { content, count, line, list, mostEvents, mostListed, mostPicturePixels, picture, whole } from './bounded.ts';
import { comparisonSchema } from './compareEvaluations.ts';
import { reportFormats } from './comparisonReport.ts';
import { splitNames } from './dataReport.ts';
import { runRecordSchema } from './runRecord.ts';
import { cropCountSchema } from './serviceProtocol.ts';
import { trainingEventSchema } from './trainingEvents.ts';

/**
 * Messages between the training panel's page and its host. The host holds the truth: after `ready` it replays every
 * shown run whole, then follows. Runs are known by their folder.
 */

/** What a run can be asked for that takes its time. */
export const runRequests = ['stop', 'pause', 'resume'] as const;
export type RunRequest = (typeof runRequests)[number];

/** What the page's buttons do with a run; the names are also those of the messages. */
export const runActions = [
  ...runRequests,
  /** Ends the process at once; everything learned since the last checkpoint is lost. */
  'stopNow',
  /** Copies what a run on a machine that shares no disk makes. */
  'follow',
  'test',
  'classify',
  'exportModel',
  'trainAgain',
  'configuration',
  /** For a run that lacks its pretrained weights. */
  'openWeightsFolder',
  'setMirror',
  'trainWithoutWeights',
] as const;
export type RunAction = (typeof runActions)[number];

/**
 * What becomes of a run whose job does not train it now, as far as is known: it waits to begin or to go on, was lost, or is
 * on a machine that shares no disk and of which nobody hears.
 */
export const jobStandings = ['queued', 'requeued', 'lost', 'unfollowed'] as const;
export type JobStanding = (typeof jobStandings)[number];

/** A run as the panel's table and legend show it. */
export const shownRunSchema = z.object({
  folder: line(),
  record: runRecordSchema,
  /** Its process is gone though its record says it lives. */
  brokenOff: z.boolean(),
  /** What is known of a job that does not train it now. */
  job: z.enum(jobStandings).optional(),
  /** It trains on this other machine, or on one that is not known. */
  away: z.object({ host: line().optional() }).optional(),
  /** Why it can be looked at only, as a sentence; absent if it can be paused, stopped and resumed. */
  refusal: line().optional(),
  /** What it was asked for and has not done yet. */
  asked: z.enum(runRequests).optional(),
  /** It has a checkpoint to go on from, test, classify with and export. Without one, a resume begins it again. */
  usable: z.boolean(),
});
export type ShownRun = z.infer<typeof shownRunSchema>;

/** A comparison of runs by tests of their best checkpoints on their own data. */
export const comparisonWishSchema = z.object({
  folders: list(line(), mostListed),
  split: z.enum(splitNames),
  crops: cropCountSchema,
  /** If they were tested on different images, on those that all were tested on. */
  common: z.boolean(),
  /** Makes the tests that are not kept. */
  test: z.boolean(),
});
export type ComparisonWish = z.infer<typeof comparisonWishSchema>;

export const comparisonResultSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('compared'), comparison: comparisonSchema }),
  /** Runs that have to be tested first. */
  z.object({ kind: z.literal('untested'), names: list(line(), mostListed) }),
  /** They were tested on different images; `common` are in all tests. */
  z.object({ kind: z.literal('different'), reason: line(), common: count() }),
  z.object({ kind: z.literal('refused'), reason: line() }),
]);
export type ComparisonResult = z.infer<typeof comparisonResultSchema>;

export const trainingPanelToPageSchema = z.discriminatedUnion('type', [
  /** The runs to show, the first is the one that the controls act on; and the others that could be overlaid. */
  z.object({
    type: z.literal('runs'),
    shown: list(shownRunSchema, mostListed),
    others: list(z.object({ folder: line(), name: line() }), mostListed),
  }),
  /** Events `from`... of a run; `from: 0` starts its curve anew. */
  z.object({
    type: z.literal('events'),
    folder: line(),
    from: count(),
    events: list(trainingEventSchema, mostEvents),
  }),
  z.object({ type: z.literal('comparison'), wish: comparisonWishSchema, result: comparisonResultSchema }),
  /** Of the tests for a comparison. */
  z.object({ type: z.literal('progress'), busy: z.boolean(), what: line(), done: z.number(), total: z.number() }),
  z.object({ type: z.literal('error'), message: line() }),
  /** A thumbnail that the page asked for, as a data URL. */
  z.object({ type: z.literal('picture'), image: line(), picture: picture() }),
]);
export type TrainingPanelToPage = z.infer<typeof trainingPanelToPageSchema>;

export const trainingPanelToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** Which runs to show, first the one in focus. */
  z.object({ type: z.literal('show'), folders: list(line(), mostListed) }),
  z.object({ type: z.enum(runActions), folder: line() }),
  /** The host asks where to save. `content` is text, or base64 for PNG. */
  z.object({
    type: z.literal('export'),
    format: z.enum(['png', 'svg', 'csv']),
    name: line(),
    /** Some steps of a long run are left out. */
    thinned: z.boolean(),
    content: content(),
  }),
  z.object({ type: z.literal('compare'), wish: comparisonWishSchema }),
  /** Ends the tests for a comparison. */
  z.object({ type: z.literal('cancel') }),
  z.object({ type: z.literal('exportComparison'), format: z.enum(reportFormats) }),
  z.object({ type: z.literal('reveal'), image: line() }),
  /** Opens a file: a pinned image, or one of a comparison. */
  z.object({ type: z.literal('open'), path: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels) }),
]);
export type TrainingPanelToHost = z.infer<typeof trainingPanelToHostSchema>;
