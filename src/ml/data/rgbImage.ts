import type { Fit, Interpolation } from '../../protocol/preprocessing.ts';

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

/** What an image was resized to, and from. */
export type ResizedSize = Pick<ResizedImage, 'width' | 'height' | 'source'>;

/** How an image is resized. */
export interface Resizing {
  /** Short side after the resize, in pixels; with the fit `pad` the long side, with `squash` both. */
  readonly side: number;
  /** How the image will become a square; `crop` without it. */
  readonly fit?: Fit | undefined;
  /** Filter of the resize; bilinear without it. */
  readonly interpolation?: Interpolation | undefined;
}

/** What an image is resized to, and by which filter. */
export interface ResizeTarget {
  readonly width: number;
  readonly height: number;
  readonly interpolation: Interpolation;
}

/**
 * Size after torchvision's `Resize(side)`, or with `pad` its `Resize(None, max_size=side)`, where the other side is rounded
 * down; with `squash` after its `Resize((side, side))`.
 */
export function resizedSize(
  width: number,
  height: number,
  { side, fit = 'crop' }: Resizing,
): { width: number; height: number } {
  if (fit === 'squash') return { width: side, height: side };
  const scaled = (other: number, given: number) => Math.max(1, Math.trunc((side * other) / given));
  const fitsWidth = fit === 'pad' ? width >= height : width <= height;
  return fitsWidth ? { width: side, height: scaled(height, width) } : { width: scaled(width, height), height: side };
}
