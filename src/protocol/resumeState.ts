import * as z from 'zod';
import { count, name, whole } from './bounded.ts';
import { trainingConfigSchema } from './trainingConfig.ts';

export const resumeStateVersion = 1;

/** JSON has no NaN, which a diverged loss is. */
const numberOrNaN = z.number().or(z.null().transform(() => NaN));

/**
 * What an exact resume needs besides weights and moments. It lies as JSON under the key `resume` of the metadata of the
 * file beside a checkpoint. No random state: order, augmentation and dropout derive from the seed, the epoch and the step.
 */
export const resumeStateSchema = z.object({
  version: z.literal(resumeStateVersion),
  run: name(),
  config: trainingConfigSchema,
  /** Optimizer steps taken. */
  step: count(),
  /** Whole epochs done. */
  epoch: count(),
  /** Batches of the present epoch that have been trained on. */
  batchInEpoch: count(),
  /** Images that fit the device at once; smaller than the batch after it ran out of memory. */
  microBatchSize: whole(1, 4096),
  /** Sum of the losses of the images since the last validation, and how many. */
  trainLoss: z.object({ sum: numberOrNaN, images: count() }),
  /** Best validation loss so far, and how many epochs have ended without a better one. */
  earlyStop: z.object({ bestLoss: z.number().optional(), epochsWithoutBetter: count() }),
  /** The validation that `best` was written at. */
  best: z.object({ step: count(), validLoss: z.number(), validAccuracy: z.number() }).optional(),
  /** The validation images behind `best` and `earlyStop`: how many decoded, and a digest of their pixels and classes. */
  measuredOn: z.object({ images: count(), digest: name() }).optional(),
});
export type ResumeState = z.infer<typeof resumeStateSchema>;
