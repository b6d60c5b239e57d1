import * as z from 'zod';
import { between, count, list, mostClasses, name, path, sentence } from './bounded.ts';
import { usedTemperatureSchema } from './confidenceCalibration.ts';

/** The five crops in the report's order. */
export const cropNames = ['center', 'upper left', 'lower left', 'lower right', 'upper right'] as const;
export const cropNameSchema = z.enum(cropNames);
export type CropName = z.infer<typeof cropNameSchema>;

/** One class of a ranking. Index, folder and display name always travel together. */
export const rankedClassSchema = z.object({
  index: count(),
  folder: name(),
  name: name(),
  /** A sum of rounded numbers may be a little more than 1. */
  probability: between(0, 1.01),
});
export type RankedClass = z.infer<typeof rankedClassSchema>;

/** No image has a longer side. */
const pixels = between(-1_000_000_000, 1_000_000_000);

/** Where a crop lies, in pixels of the image as a viewer shows it (EXIF orientation applied, full resolution). */
export const cropFrameSchema = z.object({ left: pixels, top: pixels, width: pixels, height: pixels });

export const cropPredictionSchema = z.object({
  crop: cropNameSchema,
  frame: cropFrameSchema,
  top: list(rankedClassSchema, mostClasses),
});
export type CropPrediction = z.infer<typeof cropPredictionSchema>;

/** What `predict` says of one image: top-k per crop, and of the mean of the crops' softmax, ordered by that mean. */
export const imagePredictionSchema = z.object({
  image: path(),
  /** Size as a viewer shows it, in pixels. */
  width: count(),
  height: count(),
  crops: list(cropPredictionSchema, cropNames.length),
  mean: list(rankedClassSchema, mostClasses),
  /** What the probabilities of the mean were computed with; absent where the checkpoint has none. */
  temperature: usedTemperatureSchema.optional(),
  /** Whether the answer is "none of these", since the confidence is below the threshold; absent where that was not asked for. */
  rejected: z.boolean().optional(),
});
export type ImagePrediction = z.infer<typeof imagePredictionSchema>;

/** An image that could not be classified, with the reason. */
export const failedPredictionSchema = z.object({ image: path(), error: sentence() });
export type FailedPrediction = z.infer<typeof failedPredictionSchema>;
