import * as z from 'zod';
import { content, count, line, list, mostEvents, mostListed, mostPicturePixels, picture, whole } from './bounded.ts';
import { runRecordSchema } from './runRecord.ts';
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
  'test',
  'classify',
  'exportOnnx',
  'trainAgain',
  'configuration',
  /** For a run that lacks its pretrained weights. */
  'openWeightsFolder',
  'setMirror',
  'trainWithoutWeights',
] as const;
export type RunAction = (typeof runActions)[number];

/** A run as the panel's table and legend show it. */
export const shownRunSchema = z.object({
  folder: line(),
  record: runRecordSchema,
  /** Its process is gone though its record says it lives. */
  brokenOff: z.boolean(),
  /** Why it can be looked at only, as a sentence; absent if it can be paused, stopped and resumed. */
  refusal: line().optional(),
  /** What it was asked for and has not done yet. */
  asked: z.enum(runRequests).optional(),
  /** It has a checkpoint to go on from, test, classify with and export. Without one, a resume begins it again. */
  usable: z.boolean(),
});
export type ShownRun = z.infer<typeof shownRunSchema>;

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
  /** Opens a file: a pinned image. */
  z.object({ type: z.literal('open'), path: line() }),
  z.object({ type: z.literal('picture'), image: line(), size: whole(1, mostPicturePixels) }),
]);
export type TrainingPanelToHost = z.infer<typeof trainingPanelToHostSchema>;
