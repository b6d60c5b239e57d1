import type { CropPart } from './imageQuality.ts';
import type { RgbImage } from './rgbImage.ts';
import { roundHalfToEven } from './roundHalfToEven.ts';

/**
 * Where torchvision's `CenterCrop(size)` begins. Where the image is smaller it is padded with black first, and the
 * offset is negative.
 */
export function centreOffset(width: number, height: number, size: number): { left: number; top: number } {
  const offset = (length: number) =>
    length < size ? -Math.floor((size - length) / 2) : roundHalfToEven((length - size) / 2);
  return { left: offset(width), top: offset(height) };
}

/** Where the image is in its centre crop, which is black beside it: the whole crop, unless the image is smaller. */
export function centrePart({ width, height }: Pick<RgbImage, 'width' | 'height'>, size: number): CropPart {
  const { left, top } = centreOffset(width, height, size);
  return {
    left: Math.max(0, -left),
    top: Math.max(0, -top),
    width: Math.min(size, width),
    height: Math.min(size, height),
  };
}

/** Copies a square of `size` into planes `[3, size, size]`, R, G, B, which are black where it leaves the image. */
export function cropPlanes(
  image: RgbImage,
  offset: { readonly left: number; readonly top: number },
  size: number,
  out = new Uint8Array(3 * size * size),
): Uint8Array {
  const { width, height, data } = image;
  out.fill(0);
  const firstColumn = Math.max(0, -offset.left);
  const lastColumn = Math.min(size, width - offset.left);
  for (let row = Math.max(0, -offset.top); row < Math.min(size, height - offset.top); row++) {
    let source = ((row + offset.top) * width + firstColumn + offset.left) * 3;
    for (let target = row * size + firstColumn; target < row * size + lastColumn; target++) {
      out[target] = data[source++] ?? 0;
      out[target + size * size] = data[source++] ?? 0;
      out[target + 2 * size * size] = data[source++] ?? 0;
    }
  }
  return out;
}
