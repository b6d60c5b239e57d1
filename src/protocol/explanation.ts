import * as z from 'zod';
import { between, list, mostPixels, path, whole, mostClasses, name } from './bounded.ts';
import { cropFrameSchema, cropNameSchema, cropNames } from './prediction.ts';

/** Rows of numbers from 0 to 1, the upper one first: how much of the class was seen at each place of a crop. */
const mapSchema = list(list(between(0, 1), mostPixels), mostPixels);

/** A crop, whose map lies on `frame`: with the fit `pad` on a square that is larger than the image. */
const explainedCropSchema = z.object({
  crop: cropNameSchema,
  frame: cropFrameSchema,
  probability: between(0, 1.01),
  map: mapSchema,
});

/** Where in an image a class was seen, crop by crop. */
export const explanationSchema = z.object({
  image: path(),
  /** The class. */
  index: whole(0, mostClasses - 1),
  name: name(),
  /** Grad-CAM, gradient-weighted attention, or occlusion. */
  method: z.enum(['grad-cam', 'attention', 'occlusion']),
  crops: list(explainedCropSchema, cropNames.length),
});
export type Explanation = z.infer<typeof explanationSchema>;
