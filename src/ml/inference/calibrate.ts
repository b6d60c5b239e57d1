import { spread } from '../data/spread.ts';
import { calibrationImages } from '../engine/engine.ts';
import type { Classifier } from './classifier.ts';
import { classifyImages } from './predictImages.ts';

/**
 * Shows a classifier that is to compute in 8 bits images from all over a list, by which it finds its ranges; their order
 * in the list decides nothing then. `say` hears where there are too few, and float32 it stays.
 */
export async function calibrate(
  classifier: Classifier,
  images: readonly string[],
  say: (sentence: string) => void,
): Promise<void> {
  if (images.length < calibrationImages) {
    say(`8 bits (int8) need ${calibrationImages} images to find their ranges, so these are computed in float32.`);
    return;
  }
  const shown = classifyImages(classifier, spread(images, calibrationImages), { cropCount: 1 });
  while ((await shown.next()).done !== true);
}
