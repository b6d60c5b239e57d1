import { squeeze } from './resize.ts';
import type { ResizedImage, RgbImage } from './rgbImage.ts';

/** Side of a sketch. So small, what compression and resizing change is next to nothing, and other pictures are others. */
export const sketchSide = 16;
export const sketchBytes = sketchSide * sketchSide;

/** An image in a few bytes, by which copies that were re-encoded are looked for. */
export interface Sketch {
  /** Luma, rows from the top. */
  readonly luma: Uint8Array;
  /** Width by height, of the image. */
  readonly aspect: number;
}

/** Squeezes an image into a sketch. */
export function sketchOf(image: ResizedImage): Sketch {
  const rgb = squeeze(image, sketchSide, sketchSide);
  return { luma: lumaOf(rgb), aspect: image.source.width / image.source.height };
}

function lumaOf(rgb: Uint8Array): Uint8Array {
  const luma = new Uint8Array(rgb.length / 3);
  const level = (at: number, share: number) => (rgb[at] ?? 0) * share;
  for (let pixel = 0; pixel < luma.length; pixel++) {
    const at = 3 * pixel;
    luma[pixel] = Math.round(level(at, 0.299) + level(at + 1, 0.587) + level(at + 2, 0.114));
  }
  return luma;
}

/** Side of the thumbnail by which two images with like sketches are compared once more, in colour. */
export const thumbnailSide = 32;

/** Squeezes an image into a thumbnail: R, G, B interleaved. */
export function thumbnailOf(image: RgbImage): Uint8Array {
  return squeeze(image, thumbnailSide, thumbnailSide);
}

/**
 * Bounds of what saving anew changes, in levels of 255: on the mean and at most. Of 300 photographs of flowers, saved as
 * JPEG of quality 60 and more, as WebP, at half and at twice their size, none came near them; of 30 million pairs of other
 * photographs those within them were looked at and are copies.
 */
const bounds = {
  sketch: { mean: 1.2, most: 10 },
  luma: { mean: 1.2, most: 8 },
  colour: { mean: 4, most: 24 },
};
/** Sides' ratios differ by so much where a size was rounded. */
const aspectTolerance = 0.02;

/** Whether two sketches may be of the same picture: each begins at a place in bytes that hold many. */
export function sketchesAgree(bytes: Uint8Array, a: number, b: number): boolean {
  const { mean, most } = bounds.sketch;
  let left = mean * sketchBytes;
  for (let index = 0; index < sketchBytes; index++) {
    const difference = Math.abs((bytes[a + index] ?? 0) - (bytes[b + index] ?? 0));
    left -= difference;
    if (difference > most || left < 0) return false;
  }
  return true;
}

export function aspectsAgree(a: number, b: number): boolean {
  return Math.abs(a - b) <= aspectTolerance * Math.max(a, b);
}

/** Whether two thumbnails are of the same picture. A picture without colour is compared by its luma alone. */
export function thumbnailsAgree(a: Uint8Array, b: Uint8Array): boolean {
  if (!agree(lumaOf(a), lumaOf(b), bounds.luma)) return false;
  return isGrey(a) || isGrey(b) || agree(a, b, bounds.colour);
}

function agree(
  a: Uint8Array,
  b: Uint8Array,
  { mean, most }: { readonly mean: number; readonly most: number },
): boolean {
  let sum = 0;
  for (const [index, value] of a.entries()) {
    const difference = Math.abs(value - (b[index] ?? 0));
    if (difference > most) return false;
    sum += difference;
  }
  return sum <= mean * a.length;
}

/** Levels by which the channels of a picture without colour may differ. */
const greyTolerance = 2;

function isGrey(rgb: Uint8Array): boolean {
  for (let at = 0; at < rgb.length; at += 3) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(at, at + 3);
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > greyTolerance) return false;
  }
  return true;
}
