import * as z from 'zod';
import { list, mostClasses, text, whole } from './bounded.ts';
import type { ScoredImage } from './classCurves.ts';

/** Most probabilities that a result keeps, 4 bytes each: 4,000 images of 1,000 classes. */
export const mostKeptProbabilities = 4_000_000;

/** The probability of each class for each image of a test. */
export const keptProbabilitiesSchema = z.object({
  /** Indices of the classes, a column each: all that the network knows. */
  classes: list(whole(0, mostClasses - 1), mostClasses),
  /** `[images, classes]`, float32, little-endian, in the order of the results, as base64. */
  float32: text(Math.ceil((4 * mostKeptProbabilities) / 3) * 4),
});
export type KeptProbabilities = z.infer<typeof keptProbabilitiesSchema>;

/**
 * The images of a test with their probabilities, whose columns are `kept.classes`. Undefined if they are not those of the
 * results, or not numbers.
 */
export function scoredImages(
  { results }: { readonly results: readonly { readonly actual: number }[] },
  { classes, float32 }: KeptProbabilities,
): ScoredImage[] | undefined {
  const bytes = bytesOf(float32);
  const width = classes.length;
  if (bytes?.length !== 4 * results.length * width) return undefined;
  const all = new Float32Array(bytes.buffer);
  if (!all.every((value) => value >= 0 && value <= 1.01)) return undefined;
  return results.map(({ actual }, row) => ({ actual, probabilities: all.subarray(row * width, (row + 1) * width) }));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
