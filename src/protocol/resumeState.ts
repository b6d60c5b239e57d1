import * as z from 'zod';
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
  run: z.string(),
  config: trainingConfigSchema,
  /** Optimizer steps taken. */
  step: z.number().int().min(0),
  /** Whole epochs done. */
  epoch: z.number().int().min(0),
  /** Batches of the present epoch that have been trained on. */
  batchInEpoch: z.number().int().min(0),
  /** Images that fit the device at once; smaller than the batch after it ran out of memory. */
  microBatchSize: z.number().int().positive(),
  /** Sum of the losses of the images since the last validation, and how many. */
  trainLoss: z.object({ sum: numberOrNaN, images: z.number().int().min(0) }),
  /** Best validation loss so far, and how many epochs have ended without a better one. */
  earlyStop: z.object({ bestLoss: z.number().optional(), epochsWithoutBetter: z.number().int().min(0) }),
  /** The validation that `best` was written at. */
  best: z.object({ step: z.number().int(), validLoss: z.number(), validAccuracy: z.number() }).optional(),
  /** The validation images behind `best` and `earlyStop`: how many decoded, and a digest of their pixels and classes. */
  measuredOn: z.object({ images: z.number().int().min(0), digest: z.string() }).optional(),
});
export type ResumeState = z.infer<typeof resumeStateSchema>;
