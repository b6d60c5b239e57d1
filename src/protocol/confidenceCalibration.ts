import * as z from 'zod';
import { between, count, positive } from './bounded.ts';

/**
 * What was fitted to the confidence of a checkpoint on validation images, after the training; `1` is of predictions by one
 * crop, `5` of those by the mean of five, which a network that sees whole images does not have.
 */
export const confidenceCalibrationSchema = z.object({
  /** Probabilities are those of logits divided by it: see `atTemperature`. */
  temperature: z.object({ 1: positive(1000), 5: positive(1000).optional() }),
  /** Validation images that it was fitted on. */
  images: count(),
  /** Confidences below which the answer is "none of these", chosen for a target error; without one where none reaches it. */
  rejection: z
    .object({
      targetError: between(0, 1),
      threshold: z.object({ 1: between(0, 1.01).optional(), 5: between(0, 1.01).optional() }),
    })
    .optional(),
});
export type ConfidenceCalibration = z.infer<typeof confidenceCalibrationSchema>;

/** The temperature that probabilities were computed with, as results keep it. */
export const usedTemperatureSchema = z.object({
  value: positive(1000),
  /** Validation images that it was fitted on. */
  images: count(),
});
export type UsedTemperature = z.infer<typeof usedTemperatureSchema>;

/** The temperature of predictions by so many crops; undefined where none was fitted. */
export function temperatureFor(
  calibration: ConfidenceCalibration | undefined,
  crops: number,
): UsedTemperature | undefined {
  const value = calibration?.temperature[crops === 1 ? 1 : 5];
  return calibration === undefined || value === undefined ? undefined : { value, images: calibration.images };
}
