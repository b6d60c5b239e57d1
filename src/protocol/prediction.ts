import * as z from 'zod';

/** The five crops in the report's order. */
export const cropNames = ['center', 'upper left', 'lower left', 'lower right', 'upper right'] as const;
export const cropNameSchema = z.enum(cropNames);
export type CropName = z.infer<typeof cropNameSchema>;

/** One class of a ranking. Index, folder and display name always travel together. */
export const rankedClassSchema = z.object({
  index: z.number().int().min(0),
  folder: z.string(),
  name: z.string(),
  probability: z.number(),
});
export type RankedClass = z.infer<typeof rankedClassSchema>;

/** Where a crop lies, in pixels of the image as a viewer shows it (EXIF orientation applied, full resolution). */
export const cropFrameSchema = z.object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() });

export const cropPredictionSchema = z.object({
  crop: cropNameSchema,
  frame: cropFrameSchema,
  top: z.array(rankedClassSchema),
});
export type CropPrediction = z.infer<typeof cropPredictionSchema>;

/** What `predict` says of one image: top-k per crop, and of the mean of the crops' softmax, ordered by that mean. */
export const imagePredictionSchema = z.object({
  image: z.string(),
  /** Size as a viewer shows it, in pixels. */
  width: z.number().int(),
  height: z.number().int(),
  crops: z.array(cropPredictionSchema),
  mean: z.array(rankedClassSchema),
});
export type ImagePrediction = z.infer<typeof imagePredictionSchema>;

/** An image that could not be classified, with the reason. */
export const failedPredictionSchema = z.object({ image: z.string(), error: z.string() });
export type FailedPrediction = z.infer<typeof failedPredictionSchema>;
