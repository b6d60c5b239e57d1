import * as z from 'zod';
import { between, count, mostClasses, mostHiddenLayers, mostHiddenUnits, name, path, text, whole } from './bounded.ts';
import { confidenceCalibrationSchema } from './confidenceCalibration.ts';
import { preprocessingSchema } from './preprocessing.ts';
import { checkpointSplitSchema } from './runSplit.ts';
import { hubPinSchema } from './timmConfig.ts';
import { methods, pools } from './trainingConfig.ts';

export const checkpointVersion = 1;

/** Names of the files that hold what a resume needs. */
export const resumeFilePattern = /^resume-\d{1,15}-[0-9a-f]{8}\.safetensors$/u;

export const classLabelSchema = z.object({ index: whole(0, mostClasses - 1), folder: name(), name: name() });
/** A class: its index in the network's output, its folder and its display name, which always travel together. */
export type ClassLabel = z.infer<typeof classLabelSchema>;

/** The classes of a classifier in the order of its output, each folder once. */
export const classesSchema = z
  .array(classLabelSchema)
  .min(1, 'expected at least one class')
  .max(mostClasses, `expected at most ${mostClasses} classes`)
  .refine((classes) => classes.every(({ index }, place) => index === place), 'expected classes numbered from 0 on')
  .refine(
    (classes) => new Set(classes.map(({ folder }) => folder)).size === classes.length,
    'expected each class folder once',
  );

/** The layers that take the place of a network's own classifier. */
const headSchema = z.object({
  hidden: z
    .array(whole(1, mostHiddenUnits))
    .max(mostHiddenLayers, `expected at most ${mostHiddenLayers} hidden layers`),
  dropout: between(0, 1),
  classes: whole(1, mostClasses),
});

/**
 * All that is needed to use a checkpoint. It lies as JSON under the key `fivecrop` of the safetensors header's
 * `__metadata__`.
 */
export const checkpointMetadataSchema = z
  .object({
    version: z.literal(checkpointVersion),
    network: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('architecture'),
        name: name(1),
        /** What of the hub its name stood for when it was trained, where it comes from there. */
        hub: hubPinSchema.optional(),
      }),
      z.object({
        kind: z.literal('backbone'),
        /** Path when trained, absolute; the file is found by its hash beside the checkpoint too. */
        file: path(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected a hash of 64 digits'),
        featuresOutput: text(10_000, 1),
        /** How its tokens become features, where it gives tokens. */
        pool: z.enum(pools).optional(),
        features: whole(1, 1_000_000),
      }),
    ]),
    /** Licence of the weights that its run began with, where it is known; absent where it began with random ones. */
    licence: text(200, 1).optional(),
    head: headSchema,
    classes: classesSchema,
    preprocessing: preprocessingSchema,
    training: z.object({
      run: name(),
      method: z.enum(methods),
      step: count(),
      epoch: z.number().min(0),
      data: text(32_767),
      /** Whether the dropout of the network itself took part; absent in checkpoints from before it was built. */
      networkDropout: z.boolean().optional(),
    }),
    metrics: z
      .object({ trainLoss: z.number(), validLoss: z.number(), validAccuracy: z.number(), validTop5: z.number() })
      .partial(),
    /**
     * Name of the file in the same folder that an exact resume needs besides. It is written first, and never changed, so
     * that the checkpoint's own renaming publishes both. Without it that file is named after the checkpoint, as it once was.
     */
    resume: z.string().regex(resumeFilePattern).optional(),
    /** The split that its run drew; absent in checkpoints from before splits were kept. */
    split: checkpointSplitSchema.optional(),
    /** Written by `fivecrop calibrate`, which changes nothing else; absent until then. */
    calibration: confidenceCalibrationSchema.optional(),
    created: name(),
  })
  .refine(({ classes, head }) => classes.length === head.classes, {
    path: ['classes'],
    message: 'expected as many classes as the head has outputs',
  });
export type CheckpointMetadata = z.infer<typeof checkpointMetadataSchema>;
