import { evenlySpaced } from '../data/evenlySpaced.ts';
import { calibrationImages } from '../engine/engine.ts';
import type { Classifier } from './classifier.ts';
import { classifyImages } from './predictImages.ts';

/** Whether there are enough images for a network to find the ranges of its 8 bits. */
export function canCalibrateInt8(images: readonly string[]): boolean {
  return images.length >= calibrationImages;
}

/** What is said where `precision` was int8 and there are too few images. */
export const tooFewToCalibrate = `8 bits (int8) need ${calibrationImages} images to find their ranges, so these are computed in float32.`;

/**
 * Shows a classifier that is to compute in 8 bits images from all over a list, by which it finds its ranges; their order
 * in the list decides nothing then. Throws `CancelledError` after an abort.
 */
export async function calibrateInt8(
  classifier: Classifier,
  images: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const options = { cropCount: 1, ...(signal ? { signal } : {}) } as const;
  const shown = classifyImages(classifier, evenlySpaced(images, calibrationImages), options);
  while ((await shown.next()).done !== true);
}
