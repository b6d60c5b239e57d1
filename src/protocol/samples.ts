import * as z from 'zod';
import { between, count, line, list, mostClasses, name, path, picture, whole } from './bounded.ts';

/** Images of a batch that are shown, its first ones. */
export const mostShown = 256;

/** An image as the training step gets it. */
const trainingSampleSchema = z.object({
  image: path(),
  picture: picture(),
  /** The image that is mixed into it. */
  mixedWith: path().optional(),
  /** The classes of its target and their shares, which sum to 1. */
  classes: list(z.object({ index: whole(0, mostClasses - 1), name: name(), weight: between(0, 1) }), 2),
});
export type ShownSample = z.infer<typeof trainingSampleSchema>;

/** A batch that a run would train on. Epochs and batches count from 0. */
export const samplesSchema = z.object({
  seed: z.number().int(),
  epoch: count(),
  batch: count(),
  batches: count(),
  epochs: count(),
  size: count(),
  mix: z.enum(['mixup', 'cutmix']).optional(),
  /** Of the whole batch. */
  imageCount: count(),
  images: list(trainingSampleSchema, mostShown),
  /** What is to be known of it, such as images that do not decode. */
  notes: list(line(), 1000),
});
export type Samples = z.infer<typeof samplesSchema>;

/** The classes of an image's target in words: `rose`, or `rose 0.62` and `tulip 0.38`. */
export function mixedClasses(classes: readonly { readonly name: string; readonly weight: number }[]): string[] {
  return classes.map((each) => (classes.length === 1 ? each.name : `${each.name} ${each.weight.toFixed(2)}`));
}
