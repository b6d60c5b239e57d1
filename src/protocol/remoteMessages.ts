import * as z from 'zod';
import { count, list, path, sentence, text, whole } from './bounded.ts';
import { runControlActions } from './runControl.ts';

/** Most runs of a job. */
const mostRuns = 10_000;

/** Names a job, or data, on a remote host: nothing that a shell would read more into. */
const id = () => z.string().regex(/^[0-9a-f]{16}$/u, 'expected an id of 16 digits');
/** A run of a job, by its place in it. */
const place = () => whole(1, mostRuns);

/** A file or folder of this machine that was brought to a remote host: its path there, below our folder, and its path here. */
const broughtSchema = z.object({ remote: text(1000, 1), local: path() });
export type Brought = z.infer<typeof broughtSchema>;

/** `job.json` in the folder of a job on the remote host. The folders of its runs are `runs/1`, `runs/2`, ... */
export const remoteJobSchema = z.strictObject({
  runs: whole(1, mostRuns),
  /** How many train at the same time. */
  parallel: whole(1, 1000),
  brought: list(broughtSchema, 1000),
  /** Ends each run once so many epochs are done; its schedule stays that of all. */
  untilEpoch: whole(1, 1_000_000).optional(),
  /** Names the folder in which runs share what frozen layers make of the images. */
  features: id().optional(),
  /** Folders below ours that its process runs from; the host says which. */
  programs: list(text(200, 1), 10).optional(),
});
export type RemoteJob = z.infer<typeof remoteJobSchema>;

/** What is asked of the program on a remote host: one of these as JSON in a line of its standard input. */
export const remoteRequestSchema = z.discriminatedUnion('ask', [
  /** The command that was brought, and in whose folder the program runs, is whole and to be used. */
  z.strictObject({ ask: z.literal('accept'), sha256: z.string().regex(/^[0-9a-f]{64}$/u) }),
  /** Makes folders below ours, into which something is brought. */
  z.strictObject({ ask: z.literal('prepare'), folders: list(text(1000, 1), mostRuns) }),
  /** Trains the runs whose folders were brought. A job that was started already is not started once more. */
  z.strictObject({ ask: z.literal('start'), job: id(), content: remoteJobSchema }),
  /** How runs do; what belongs together of their files is put into `snapshot/1`, ..., to be copied. */
  z.strictObject({ ask: z.literal('look'), job: id(), runs: list(place(), mostRuns) }),
  /** What was made of runs that have ended is on the machine that asks. */
  z.strictObject({ ask: z.literal('copied'), job: id(), runs: list(place(), mostRuns) }),
  /**
   * A run will be handed over again: a job that was not started yet is not started any more. The folder of a job of which
   * all was copied goes. Refused while the run trains.
   */
  z.strictObject({ ask: z.literal('release'), job: id(), run: place() }),
  /** Runs do not share features any more. */
  z.strictObject({ ask: z.literal('forget'), features: id() }),
  /** What was brought and made there; with `remove` it goes, as far as nothing needs it. */
  z.strictObject({
    ask: z.literal('clean'),
    remove: z.boolean(),
    /** Whether runs that ended and were not copied go too. */
    uncopied: z.boolean(),
  }),
  z.strictObject({ ask: z.literal('control'), job: id(), run: place(), action: z.enum(runControlActions) }),
]);
export type RemoteRequest = z.infer<typeof remoteRequestSchema>;

/** Something in our folder on a remote host, by its path below it. */
const keptSchema = z.object({
  path: text(1000, 1),
  bytes: count(),
  /** Why it stays, as the rest of a sentence; nothing needs what has none. */
  needed: text(1000).optional(),
});
export type RemoteItem = z.infer<typeof keptSchema>;

/**
 * A run on a remote host: it waits for others of its job, trains, has ended as its record says, was broken off, or is not
 * there any more.
 */
const remoteStates = ['waiting', 'training', 'over', 'lost', 'gone'] as const;
export type RemoteState = (typeof remoteStates)[number];

/** Whether a run is going to change. */
export function isUndone(state: RemoteState): boolean {
  return state === 'waiting' || state === 'training';
}

/** What the program answers: one of these as JSON in a line that begins with `answerMark`. */
export const remoteAnswerSchema = z.discriminatedUnion('answer', [
  z.object({ answer: z.literal('done') }),
  z.object({ answer: z.literal('refused'), message: sentence() }),
  z.object({
    answer: z.literal('status'),
    /** Our folder there, absolute. */
    root: path(),
    brought: list(broughtSchema, 1000),
    runs: list(
      z.object({
        run: place(),
        state: z.enum(remoteStates),
        /** The same for as long as there is nothing new to be copied. */
        mark: text(64).optional(),
      }),
      mostRuns,
    ),
  }),
  z.object({ answer: z.literal('store'), items: list(keptSchema, 100_000) }),
]);
export type RemoteAnswer = z.infer<typeof remoteAnswerSchema>;
export type RemoteStatus = Extract<RemoteAnswer, { answer: 'status' }>;

/** Shells may greet on standard output; answers are told from that by what their line begins with. */
export const answerMark = 'fivecrop-answer ';
