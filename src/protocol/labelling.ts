import * as z from 'zod';
import { between, count, list, mostClasses, mostImages, name, path } from './bounded.ts';
import { dataEditSchema } from './dataEdits.ts';

/** Images to be labelled next that are sent, and classes that are named for each, the likeliest first. */
export const [mostNext, mostLikely] = [200, 9];

const nextImageSchema = z.object({
  /** Absolute. */
  image: path(),
  /** Folders of classes with their probabilities; none while there are fewer than two classes with images. */
  likely: list(z.object({ folder: name(), probability: between(0, 1) }), mostLikely),
  /** 1 less the distance of the two likeliest classes' probabilities. */
  uncertainty: between(0, 1),
  /** Whether it was skipped, and so comes after all others. */
  isSkipped: z.boolean(),
});
export type NextImage = z.infer<typeof nextImageSchema>;

/** Images by which the accuracy is told: those of the validation split, or the labelled ones, each judged without itself. */
export const judgedBy = ['validation', 'leaveOneOut'] as const;

/** The accuracy of the head that was fitted to so many images. */
const curvePointSchema = z.object({ labels: count(), accuracy: between(0, 1) });
export type CurvePoint = z.infer<typeof curvePointSchema>;

/** What a head that was fitted to the labels as they are says of images that have none. */
export const labellingSchema = z.object({
  /** Absolute. */
  data: path(),
  unlabelled: path(),
  classes: list(z.object({ folder: name(), name: name(), images: count() }), mostClasses),
  /** Images that the head is fitted to: those of the training split, where the folder has splits. */
  labels: count(),
  /** Images that are still to be labelled; how many of them were skipped; and those that cannot be decoded. */
  open: count(),
  skipped: count(),
  undecodable: count(),
  /** What would teach most first. */
  next: list(nextImageSchema, mostNext),
  /** Absent while there are fewer than two classes with images. */
  accuracy: z.object({ of: z.enum(judgedBy), images: count(), share: between(0, 1) }).optional(),
  /** By number of labels, since the folder was opened; what was undone is not in it. */
  curve: list(curvePointSchema, mostImages),
  /** What would be undone and done again next. */
  undo: dataEditSchema.optional(),
  redo: dataEditSchema.optional(),
  /** Number of edits that count, and milliseconds from the edit to these figures. */
  edits: count(),
  milliseconds: count(),
});
export type Labelling = z.infer<typeof labellingSchema>;
