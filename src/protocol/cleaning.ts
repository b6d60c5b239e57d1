import * as z from 'zod';
import { between, count, list, mostClasses, name, path } from './bounded.ts';
import { dataEditSchema } from './dataEdits.ts';

/** Why an image is shown: its label is contradicted, it is there twice, the head is unsure, it is like no other, it looks odd, the user chose it on a map. */
export const cleaningKinds = ['label', 'duplicate', 'unsure', 'outlier', 'quality', 'chosen'] as const;
export type CleaningKind = (typeof cleaningKinds)[number];

/** Images of a kind that are sent, the surest ones. */
export const mostOfKind = 1000;

const cleaningItemSchema = z.object({
  kind: z.enum(cleaningKinds),
  /** Relative to the data folder, with `/`. */
  image: path(),
  /** Folder of its class. */
  folder: name(),
  /** Folder of the class that the head calls likeliest, from all other images, and that class's probability. */
  likely: name(),
  probability: between(0, 1),
  /** How sure it is that something is wrong, within a kind. */
  score: between(0, 1),
  /** The image that it is nearly the same as. */
  twin: path().optional(),
  what: z.enum(['blurred', 'dark', 'bright', 'flat', 'elongated']).optional(),
});
export type CleaningItem = z.infer<typeof cleaningItemSchema>;

/** What a head that was fitted to the labels as they are says of a data folder, each image judged without itself. */
export const cleaningSchema = z.object({
  /** Absolute. */
  data: path(),
  classes: list(z.object({ folder: name(), name: name(), images: count() }), mostClasses),
  images: count(),
  /** Share of the images whose class is the likeliest. */
  accuracy: between(0, 1),
  /** Labels that are wrong by confident learning's count. */
  estimated: count(),
  /** How many images each kind has, also those that are not in `items`. */
  counts: z.record(z.enum(cleaningKinds), count()),
  items: list(cleaningItemSchema, mostOfKind * cleaningKinds.length),
  /** The pairs of classes that are confused most often, by folder. */
  confusions: list(z.object({ folder: name(), likely: name(), images: count() }), 100),
  /** What would be undone and done again next. */
  undo: dataEditSchema.optional(),
  redo: dataEditSchema.optional(),
  /** Number of edits that count, and milliseconds from the edit to these figures. */
  edits: count(),
  milliseconds: count(),
});
export type Cleaning = z.infer<typeof cleaningSchema>;

/** What is to be done before the figures are told. */
export const cleaningActionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('look') }),
  z.object({ kind: z.literal('edit'), edit: dataEditSchema }),
  z.object({ kind: z.literal('undo') }),
  z.object({ kind: z.literal('redo') }),
]);
export type CleaningAction = z.infer<typeof cleaningActionSchema>;
