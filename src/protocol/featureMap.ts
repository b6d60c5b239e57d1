import * as z from 'zod';
import { between, count, list, mostClasses, mostImages, name, path, sentence, whole } from './bounded.ts';

const classIndex = whole(0, mostClasses - 1);

const placedImageSchema = z.object({
  /** Relative to the data folder, with `/`. */
  image: path(),
  classIndex,
  /** The class that a head calls likeliest which was fitted to all other images, and that class's probability. */
  likely: classIndex,
  probability: between(0, 1),
  /** In the square from 0 to 1, y downwards. */
  x: between(0, 1),
  y: between(0, 1),
});
export type PlacedImage = z.infer<typeof placedImageSchema>;

/** The images of a data folder in the plane, near each other if they are alike to a network. */
export const featureMapSchema = z.object({
  /** Absolute. */
  data: path(),
  seed: count(),
  classes: list(z.object({ folder: name(), name: name() }), mostClasses),
  images: list(placedImageSchema, mostImages),
  /** Images that have no place, and why. */
  leftOut: list(z.object({ image: path(), reason: sentence() }), mostImages),
});
export type FeatureMap = z.infer<typeof featureMapSchema>;
