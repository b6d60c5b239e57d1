/** How an image looks, measured on its centre crop. */
export interface ImageQuality {
  /** Standard deviation of the Laplacian of its luma, in levels of 255: a few in a blurred image. */
  readonly sharpness: number;
  /** Mean luma, from 0 to 255. */
  readonly brightness: number;
  /** Standard deviation of the luma. */
  readonly contrast: number;
}

/** Numbers of an image's quality, as they are kept: sharpness, brightness, contrast and elongation. */
export const qualityNumbers = 4;

/** How many times as long an image's long side is as its short one. */
export function elongation({ width, height }: { readonly width: number; readonly height: number }): number {
  return Math.max(width, height) / Math.min(width, height);
}

/** A part of a crop, in its pixels. */
export interface CropPart {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Measures a crop: planes R, G, B of `size` x `size` 8-bit pixels, one after another. `part` is where the image is in it,
 * if that is not all of it. Luma as ITU-R BT.601 has it.
 */
export function measureQuality(
  planes: Uint8Array,
  size: number,
  part: CropPart = { left: 0, top: 0, width: size, height: size },
): ImageQuality {
  const { left, top, width, height } = part;
  const [plane, area] = [size * size, width * height];
  const luma = new Float32Array(area);
  let [sum, squares] = [0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (top + row) * size + left + column;
      const value =
        0.299 * (planes[at] ?? 0) + 0.587 * (planes[at + plane] ?? 0) + 0.114 * (planes[at + 2 * plane] ?? 0);
      luma[row * width + column] = value;
      sum += value;
      squares += value * value;
    }
  }
  const brightness = sum / area;
  const contrast = Math.sqrt(Math.max(0, squares / area - brightness * brightness));
  return { sharpness: laplacianDeviation(luma, width, height), brightness, contrast };
}

function laplacianDeviation(luma: Float32Array, width: number, height: number): number {
  if (width <= 2 || height <= 2) return 0;
  const inner = (width - 2) * (height - 2);
  let [sum, squares] = [0, 0];
  for (let row = 1; row < height - 1; row++) {
    for (let at = row * width + 1; at < (row + 1) * width - 1; at++) {
      const around = (luma[at - 1] ?? 0) + (luma[at + 1] ?? 0) + (luma[at - width] ?? 0) + (luma[at + width] ?? 0);
      const value = around - 4 * (luma[at] ?? 0);
      sum += value;
      squares += value * value;
    }
  }
  const mean = sum / inner;
  return Math.sqrt(Math.max(0, squares / inner - mean * mean));
}
