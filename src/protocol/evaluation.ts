import * as z from 'zod';

export const classResultSchema = z.object({
  index: z.number().int().min(0),
  folder: z.string(),
  name: z.string(),
  images: z.number().int().min(0),
  /** Share of the class's images that are predicted right (recall); 0 for a class that is predicted and has none. */
  accuracy: z.number(),
});

/** One image that was predicted wrong or with doubt, for the lists of confusions and of suspected mislabels. */
export const imageResultSchema = z.object({
  image: z.string(),
  actual: z.number().int(),
  predicted: z.number().int(),
  probability: z.number(),
  /** Probability of the class that the folder says. */
  actualProbability: z.number(),
});

/** What `test` says of a checkpoint on a split. */
export const evaluationSchema = z.object({
  version: z.literal(1),
  checkpoint: z.string(),
  data: z.string(),
  split: z.string(),
  cropCount: z.union([z.literal(1), z.literal(5)]),
  images: z.number().int(),
  /** Images that could not be decoded and are not counted. */
  leftOut: z.number().int(),
  loss: z.number(),
  accuracy: z.number(),
  top5: z.number(),
  perClass: z.array(classResultSchema),
  /** `[actual][predicted]` counts as a sparse list `[actual, predicted, count]`. */
  confusion: z.array(z.tuple([z.number().int(), z.number().int(), z.number().int()])),
  results: z.array(imageResultSchema),
  time: z.string(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

/**
 * The file beside a checkpoint that keeps an evaluation: `best.safetensors` -> `best.test-5.evaluation.json` for five
 * crops of the test images. A later one of the same kind takes its place.
 */
export function evaluationPath(evaluation: Pick<Evaluation, 'checkpoint' | 'split' | 'cropCount'>): string {
  const { checkpoint, split, cropCount } = evaluation;
  return `${checkpoint.replace(/\.safetensors$/, '')}.${split}-${cropCount}.evaluation.json`;
}
