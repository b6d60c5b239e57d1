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

/** A sentence that a user should read before training: what is the case; what to do. */
export const findingSchema = z.object({ level: z.enum(['info', 'warning', 'error']), message: sentence() });
export type Finding = z.infer<typeof findingSchema>;

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
