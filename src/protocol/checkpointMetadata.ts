import * as z from 'zod';
import { preprocessingSchema } from './preprocessing.ts';
import { methods } from './trainingConfig.ts';

export const checkpointVersion = 1;

export const classLabelSchema = z.object({ index: z.number().int(), folder: z.string(), name: z.string() });
/** A class: its index in the network's output, its folder and its display name, which always travel together. */
export type ClassLabel = z.infer<typeof classLabelSchema>;

/**
 * All that is needed to use a checkpoint. It lies as JSON under the key `fivecrop` of the safetensors header's
 * `__metadata__`.
 */
export const checkpointMetadataSchema = z.object({
  version: z.literal(checkpointVersion),
  network: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('architecture'), name: z.string() }),
    z.object({
      kind: z.literal('backbone'),
      /** Path when trained, absolute; the file is found by its hash beside the checkpoint too. */
      file: z.string(),
      sha256: z.string(),
      featuresOutput: z.string(),
      features: z.number().int(),
    }),
  ]),
  head: z.object({ hidden: z.array(z.number().int()), dropout: z.number(), classes: z.number().int() }),
  classes: z.array(classLabelSchema),
  preprocessing: preprocessingSchema,
  training: z.object({
    run: z.string(),
    method: z.enum(methods),
    step: z.number().int(),
    epoch: z.number(),
    data: z.string(),
  }),
  metrics: z
    .object({ trainLoss: z.number(), validLoss: z.number(), validAccuracy: z.number(), validTop5: z.number() })
    .partial(),
  created: z.string(),
});
export type CheckpointMetadata = z.infer<typeof checkpointMetadataSchema>;
