import * as z from 'zod';
import { between, list, mostClasses, mostImages, mostListed, name, path, sentence, whole } from './bounded.ts';
import { splitNames } from './dataReport.ts';
import { userError } from './errors.ts';

/** The file that `fivecrop assert` reads if none is named. */
export const accuracyTestsFile = 'fivecrop.tests.json';

const share = between(0, 1);

/** What is expected of a checkpoint on some images. Shares are from 0 to 1, and an expectation is met from its value on. */
export const accuracyTestSchema = z
  .strictObject({
    name: name(1).describe('What the test is called.'),
    checkpoint: path()
      .optional()
      .describe(
        'A checkpoint, or the folder of a run, whose best one is tested. If not set, the newest finished run in `runs`.',
      ),
    runs: path().optional().describe('Folder of runs, the newest finished one of which is tested; `runs` if not set.'),
    data: path().describe('Folder of images, as for `fivecrop test`.'),
    split: z.enum(splitNames).default('test').describe('Which images.'),
    crops: z
      .union([z.literal(1), z.literal(5)])
      .default(1)
      .describe('Crops of each image: 1 for the center, or 5.'),
    accuracy: share.optional().describe('Least accuracy.'),
    top5: share.optional().describe('Least top-5 accuracy.'),
    macroF1: share.optional().describe('Least mean of the classes’ F1.'),
    recall: z
      .record(name(1), share)
      .optional()
      .describe('Least recall of single classes, by the name of the class or of its folder.'),
    slices: list(
      z.strictObject({
        by: path().describe('size, brightness, sharpness, path:PATTERN or FILE.csv:COLUMN, as for `test --slice`.'),
        accuracy: share.describe('Least accuracy of each of its slices.'),
      }),
      mostListed,
    ).optional(),
    baseline: z
      .strictObject({
        checkpoint: path().describe('A checkpoint, or the folder of a run, on the same images.'),
        p: between(0, 1)
          .default(0.05)
          .describe('It is worse than the baseline if McNemar’s test gives less than this.'),
      })
      .optional()
      .describe('Fails if fewer images are right than with this one, and the difference is not chance.'),
  })
  .refine(({ checkpoint, runs }) => checkpoint === undefined || runs === undefined, {
    error: 'name a checkpoint or runs, not both',
  })
  .refine(
    ({ accuracy, top5, macroF1, recall = {}, slices = [], baseline }) =>
      [accuracy, top5, macroF1, ...Object.values(recall), ...slices, baseline].some((one) => one !== undefined),
    { error: 'says nothing that is expected: give accuracy, top5, macroF1, recall, slices or baseline' },
  );
export type AccuracyTest = z.infer<typeof accuracyTestSchema>;

export const accuracyTestsSchema = z.strictObject({
  $schema: path().optional(),
  version: z.literal(1),
  tests: list(accuracyTestSchema, mostClasses),
});

/** One expectation, and whether it is met. */
export const checkedExpectationSchema = z.object({
  /** Where it stands in its test: `["accuracy"]`, `["recall", "daisy"]`, `["slices", 0]`. A slice is one of several there. */
  at: list(z.union([name(), whole(0, mostListed)]), 2),
  /** `accuracy at least 0.9`. */
  expected: sentence(),
  /** What was found, in words. */
  found: sentence(),
  isMet: z.boolean(),
  /** The images because of which it is not met, those predicted with the highest probability first; none if it is. */
  images: list(path(), mostImages),
});
export type CheckedExpectation = z.infer<typeof checkedExpectationSchema>;

/** The tests of a file, whose content was read. Throws a user error that says what is wrong and where. */
export function parseAccuracyTests(file: string, content: unknown): AccuracyTest[] {
  const parsed = accuracyTestsSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue && issue.path.length > 0 ? `${issue.path.join('.')} in ${file}` : file;
    throw userError(`Correct ${where}: ${issue?.message ?? 'it is wrong'}.`);
  }
  if (parsed.data.tests.length === 0) throw userError(`${file} holds no test.`);
  return parsed.data.tests;
}
