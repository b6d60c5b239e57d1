import * as z from 'zod';
import { count, list, mostClasses, mostImages, name, path, sentence, whole } from './bounded.ts';

export const splitNames = ['train', 'valid', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

export const classCountSchema = z.object({
  index: whole(0, mostClasses - 1),
  folder: name(),
  name: name(),
  train: count(),
  valid: count(),
  test: count(),
});

const levelSchema = z.enum(['info', 'warning', 'error']);

const presentFinding = z.object({ level: levelSchema, what: sentence(), todo: sentence().optional() });
/** What a user should read before training: what is the case, in a sentence, and what to do about it, in another. */
export type Finding = z.infer<typeof presentFinding>;

/** Older records have one sentence for both. */
const findingSchema = z.union([
  presentFinding,
  z
    .object({ level: levelSchema, message: sentence() })
    .transform(({ level, message }): Finding => ({ level, what: message })),
]);

/** Both sentences of a finding. */
export function findingText({ what, todo }: Pick<Finding, 'what' | 'todo'>): string {
  return todo === undefined ? what : `${what} ${todo}`;
}

/** What `fivecrop check` finds, and what a run's record keeps of its data. Paths are relative to the data folder, with `/`. */
export const dataReportSchema = z.object({
  data: path(),
  /** Whether the folder itself says which image belongs to which split, or a seeded stratified split did. */
  splitBy: z.enum(['folders', 'seed']),
  classes: list(classCountSchema, mostClasses),
  images: z.object({ train: count(), valid: count(), test: count() }),
  /** Files that do not decode, are no images or have no class, and are left out. */
  undecodable: list(z.object({ file: path(), reason: sentence() }), mostImages),
  /** Files of one picture that lie in different splits or different classes. */
  duplicates: list(
    z.object({
      files: list(path(), mostImages),
      /** `file`: identical to the last byte; `picture`: re-encoded, some of them, in another format, size or quality. */
      same: z.enum(['file', 'picture']).default('file'),
      acrossSplits: z.boolean(),
      acrossClasses: z.boolean(),
    }),
    mostImages,
  ),
  /** An error stands in the way of training. */
  findings: list(findingSchema, 1000),
});
export type DataReport = z.infer<typeof dataReportSchema>;

/** The largest class has at most so many times the train images of the smallest before a warning. */
const imbalanceLimit = 5;

/** The classes with most and with fewest train images, where they are so far apart that class weights help. */
export function unevenClasses({ classes }: Pick<DataReport, 'classes'>) {
  const trained = classes.filter(({ train }) => train > 0).sort((a, b) => a.train - b.train);
  const [smallest, largest] = [trained[0], trained.at(-1)];
  return smallest && largest && largest.train > imbalanceLimit * smallest.train ? { smallest, largest } : undefined;
}
