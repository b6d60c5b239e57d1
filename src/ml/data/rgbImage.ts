import type { Interpolation } from '../../protocol/preprocessing.ts';

/** Decoded pixels: 8 bits a channel, RGB interleaved, rows from the top. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `height * width * 3` values. */
  readonly data: Uint8Array;
}

/** An image resized from a larger or smaller one. */
export interface ResizedImage extends RgbImage {
  /** Size before the resize as a viewer shows it: EXIF orientation applied. */
  readonly source: { readonly width: number; readonly height: number };
}

/** How an image is resized by its short side, in pixels. */
export interface Resizing {
  readonly shortSide: number;
  /** Filter of the resize; bilinear without it. */
  readonly interpolation?: Interpolation | undefined;
}

/** What an image is resized to, and by which filter. */
export interface ResizeTarget {
  readonly width: number;
  readonly height: number;
  readonly interpolation: Interpolation;
}

/** Size after torchvision's `Resize(shortSide)`: the long side is rounded down. */
export function resizedSize(width: number, height: number, shortSide: number): { width: number; height: number } {
  const scaled = (long: number, short: number) => Math.trunc((shortSide * long) / short);
  return width <= height
    ? { width: shortSide, height: scaled(height, width) }
    : { width: scaled(width, height), height: shortSide };
}
