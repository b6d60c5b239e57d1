/** How an image looks, measured on its centre crop. */
export interface ImageQuality {
  /** Standard deviation of the Laplacian of its luma, in levels of 255: a few in a blurred image. */
  readonly sharpness: number;
  /** Mean luma, from 0 to 255. */
  readonly brightness: number;
  /** Standard deviation of the luma. */
  readonly contrast: number;
}

/** Numbers of an image's quality, as they are kept. */
export const qualityNumbers = 3;

/** Measures a crop: planes R, G, B of `size` x `size` 8-bit pixels, one after another. Luma as ITU-R BT.601 has it. */
export function measureQuality(planes: Uint8Array, size: number): ImageQuality {
  const area = size * size;
  const luma = new Float32Array(area);
  let [sum, squares] = [0, 0];
  for (let at = 0; at < area; at++) {
    const value = 0.299 * (planes[at] ?? 0) + 0.587 * (planes[at + area] ?? 0) + 0.114 * (planes[at + 2 * area] ?? 0);
    luma[at] = value;
    sum += value;
    squares += value * value;
  }
  const brightness = sum / area;
  const contrast = Math.sqrt(Math.max(0, squares / area - brightness * brightness));
  return { sharpness: laplacianDeviation(luma, size), brightness, contrast };
}

function laplacianDeviation(luma: Float32Array, size: number): number {
  const inner = (size - 2) * (size - 2);
  if (inner <= 0) return 0;
  let [sum, squares] = [0, 0];
  for (let row = 1; row < size - 1; row++) {
    for (let at = row * size + 1; at < (row + 1) * size - 1; at++) {
      const around = (luma[at - 1] ?? 0) + (luma[at + 1] ?? 0) + (luma[at - size] ?? 0) + (luma[at + size] ?? 0);
      const value = around - 4 * (luma[at] ?? 0);
      sum += value;
      squares += value * value;
    }
  }
  const mean = sum / inner;
  return Math.sqrt(Math.max(0, squares / inner - mean * mean));
}
