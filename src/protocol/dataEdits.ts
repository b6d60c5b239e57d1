import * as z from 'zod';
import { count, list, mostImages, name, path, sentence, text } from './bounded.ts';

/** The file in a data folder in which every edit of it is a line. */
export const journalFile = 'fivecrop-edits.jsonl';

/** What can be done with a data folder. Paths are relative to it, with `/`, where nothing else is said; classes are named by their folders. */
export const dataEditSchema = z.discriminatedUnion('kind', [
  /** Moves images into the folder of another class, or of a new one, in the same split. */
  z.object({ kind: z.literal('move'), images: list(path(), mostImages).min(1), to: name(1) }),
  /** Puts images on the ignore list. */
  z.object({ kind: z.literal('putAside'), images: list(path(), mostImages).min(1) }),
  /** Notes that somebody has looked at images and their classes are right. */
  z.object({ kind: z.literal('keep'), images: list(path(), mostImages).min(1) }),
  /** Copies images from outside, by absolute paths, into the training images of a class, or of a new one. */
  z.object({ kind: z.literal('label'), images: list(path(), mostImages).min(1), to: name(1) }),
  /** Notes that images from outside, by absolute paths, are to be labelled after all others. */
  z.object({ kind: z.literal('skip'), images: list(path(), mostImages).min(1) }),
  z.object({ kind: z.literal('rename'), from: name(1), to: name(1) }),
  /** Moves all images of a class into another, which is there. */
  z.object({ kind: z.literal('merge'), from: name(1), to: name(1) }),
]);
export type DataEdit = z.infer<typeof dataEditSchema>;

const hash = () => text(64);

/** One change of the disk, which can be made, found made, and taken back. */
export const editStepSchema = z.discriminatedUnion('step', [
  /** A file or a folder gets another path. */
  z.object({ step: z.literal('move'), from: path(), to: path() }),
  /** A file from outside, by its absolute path and SHA-256, gets a copy; the copy goes while the file is still there. */
  z.object({ step: z.literal('copy'), from: path(), to: path(), sha256: text(64) }),
  z.object({ step: z.literal('removeCopy'), from: path(), to: path(), sha256: text(64) }),
  z.object({ step: z.literal('makeFolder'), folder: path() }),
  /** Of a folder that is empty. */
  z.object({ step: z.literal('removeFolder'), folder: path() }),
  /** A part of the ignore list becomes another; `before` and `after` are the hashes of the whole, empty without a file. */
  z.object({
    step: z.literal('ignoreList'),
    at: count(),
    removed: text(100_000_000),
    added: text(100_000_000),
    before: hash(),
    after: hash(),
  }),
]);
export type EditStep = z.infer<typeof editStepSchema>;

/**
 * A line of the journal. What is to be done is written before it is done, and how that ended after it: `done`, or `failed`,
 * in which case all is as it was before.
 */
export const journalLineSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('edit'),
    version: z.literal(1),
    id: count(),
    time: text(40),
    edit: dataEditSchema,
    steps: list(editStepSchema, mostImages),
  }),
  z.object({ event: z.literal('undo'), id: count(), time: text(40) }),
  z.object({ event: z.literal('redo'), id: count(), time: text(40) }),
  z.object({ event: z.literal('done'), id: count() }),
  z.object({ event: z.literal('failed'), id: count(), reason: sentence() }),
]);
export type JournalLine = z.infer<typeof journalLineSchema>;

/** An edit as lists of them show it. */
export const listedEditSchema = z.object({
  id: count(),
  time: text(40),
  edit: dataEditSchema,
  /** Whether it has been undone. */
  undone: z.boolean(),
});
export type ListedEdit = z.infer<typeof listedEditSchema>;
