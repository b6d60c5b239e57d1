import * as z from 'zod';
import { between, name, path } from './bounded.ts';

/** What looks wrong with an image: its label, that it is there twice, that it is like no other, how it looks. */
export const suspectKinds = ['label', 'duplicate', 'outlier', 'quality'] as const;

/** One suspect image, as `fivecrop suspects --json` prints it. */
export const suspectSchema = z.object({
  kind: z.enum(suspectKinds),
  image: path(),
  /** Folder of its class. */
  folder: name(),
  /** Folder of the class that it likelier is, for `label`, or that its twin is in, for `duplicate`. */
  likely: name().optional(),
  /** How sure it is, from 0 to 1. Comparable within a kind. */
  score: between(0, 1),
  /** The image that it is nearly the same as, for `duplicate`. */
  twin: path().optional(),
  /** For `quality`. */
  what: z.enum(['blurred', 'dark', 'bright', 'flat', 'elongated']).optional(),
});
export type Suspect = z.infer<typeof suspectSchema>;
