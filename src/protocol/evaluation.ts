import * as z from 'zod';
import { between, count, mostClasses, name, path, whole } from './bounded.ts';

/** More images than anyone tests. */
const mostImages = 10_000_000;
const classIndex = whole(-1, mostClasses - 1);
const share = between(0, 1);
/** A sum of rounded numbers may be a little more than 1. */
const probability = between(0, 1.01);

export const classResultSchema = z.object({
  index: classIndex,
  folder: name(),
  name: name(),
  images: count(),
  /** Share of the class's images that are predicted right (recall); 0 for a class that is predicted and has none. */
  accuracy: share,
});

/** One image that was predicted wrong or with doubt, for the lists of confusions and of suspected mislabels. */
export const imageResultSchema = z.object({
  image: path(),
  actual: classIndex,
  predicted: classIndex,
  probability,
  /** Probability of the class that the folder says. */
  actualProbability: probability,
});

/** What `test` says of a checkpoint on a split. */
export const evaluationSchema = z.object({
  version: z.literal(1),
  checkpoint: path(),
  data: path(),
  split: name(),
  cropCount: z.union([z.literal(1), z.literal(5)]),
  images: count(),
  /** Images that could not be decoded and are not counted. */
  leftOut: count(),
  loss: z.number(),
  accuracy: share,
  top5: share,
  perClass: z.array(classResultSchema).max(mostClasses),
  /** `[actual][predicted]` counts as a sparse list `[actual, predicted, count]`. */
  confusion: z.array(z.tuple([classIndex, classIndex, count()])).max(mostImages),
  results: z.array(imageResultSchema).max(mostImages),
  time: name(),
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
