import * as z from 'zod';

export const splitNames = ['train', 'valid', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

export const classCountSchema = z.object({
  index: z.number().int(),
  folder: z.string(),
  name: z.string(),
  train: z.number().int(),
  valid: z.number().int(),
  test: z.number().int(),
});

/** A sentence that a user should read before training: what is the case; what to do. */
export const findingSchema = z.object({ level: z.enum(['info', 'warning', 'error']), message: z.string() });
export type Finding = z.infer<typeof findingSchema>;

/** What `fivecrop check` finds, and what a run's record keeps of its data. Paths are relative to the data folder, with `/`. */
export const dataReportSchema = z.object({
  data: z.string(),
  /** Whether the folder itself says which image belongs to which split, or a seeded stratified split did. */
  splitBy: z.enum(['folders', 'seed']),
  classes: z.array(classCountSchema),
  images: z.object({ train: z.number().int(), valid: z.number().int(), test: z.number().int() }),
  /** Files that do not decode, are no images or have no class, and are left out. */
  undecodable: z.array(z.object({ file: z.string(), reason: z.string() })),
  /** Files of one picture that lie in different splits or different classes. */
  duplicates: z.array(
    z.object({
      files: z.array(z.string()),
      /** `file`: identical to the last byte; `picture`: saved anew, some of them, in another format, size or quality. */
      same: z.enum(['file', 'picture']).default('file'),
      acrossSplits: z.boolean(),
      acrossClasses: z.boolean(),
    }),
  ),
  /** An error stands in the way of training. */
  findings: z.array(findingSchema),
});
export type DataReport = z.infer<typeof dataReportSchema>;
