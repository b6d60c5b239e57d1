/** How an image looks, measured on its centre crop. */
export interface ImageQuality {
  /** Standard deviation of the Laplacian of its luma, in levels of 255: a few in a blurred image. */
  readonly sharpness: number;
  /** The same where it is sharpest: few in an image that is blurred everywhere, not in one with a blurred background. */
  readonly detail: number;
  /** Mean luma, from 0 to 255. */
  readonly brightness: number;
  /** Standard deviation of the luma. */
  readonly contrast: number;
}

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

/** The luma of a picture, rows from the top, from 0 to 255. */
export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/**
 * The luma of a crop: planes R, G, B of `size` x `size` 8-bit pixels, one after another. `part` is where the image is in it,
 * if that is not all of it. As ITU-R BT.601 has it.
 */
export function lumaOf(
  planes: Uint8Array,
  size: number,
  { left, top, width, height }: CropPart = { left: 0, top: 0, width: size, height: size },
): Luma {
  const plane = size * size;
  const values = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (top + row) * size + left + column;
      values[row * width + column] =
        0.299 * (planes[at] ?? 0) + 0.587 * (planes[at + plane] ?? 0) + 0.114 * (planes[at + 2 * plane] ?? 0);
    }
  }
  return { width, height, values };
}

export function measureQuality({ width, height, values }: Luma): ImageQuality {
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const brightness = sum / values.length;
  const contrast = Math.sqrt(Math.max(0, squares / values.length - brightness * brightness));
  return { ...laplacianDeviations({ width, height, values }), brightness, contrast };
}

/** An image is looked at in so many by so many parts; its detail is the mean of so many, the sharpest. */
const [partsAlong, sharpestParts] = [8, 5];

function laplacianDeviations({ width, height, values }: Luma): Pick<ImageQuality, 'sharpness' | 'detail'> {
  if (width <= 2 || height <= 2) return { sharpness: 0, detail: 0 };
  const parts = Array.from({ length: partsAlong * partsAlong }, () => ({ count: 0, sum: 0, squares: 0 }));
  const whole = { count: 0, sum: 0, squares: 0 };
  for (let row = 1; row < height - 1; row++) {
    const across = partsAlong * Math.floor(((row - 1) * partsAlong) / (height - 2));
    for (let column = 1; column < width - 1; column++) {
      const at = row * width + column;
      const around = (values[at - 1] ?? 0) + (values[at + 1] ?? 0) + (values[at - width] ?? 0) + (values[at + width] ?? 0); // prettier-ignore
      const value = around - 4 * (values[at] ?? 0);
      const part = parts[across + Math.floor(((column - 1) * partsAlong) / (width - 2))];
      if (!part) continue;
      part.count++;
      part.sum += value;
      part.squares += value * value;
    }
  }
  for (const { count, sum, squares } of parts) {
    whole.count += count;
    whole.sum += sum;
    whole.squares += squares;
  }
  const sharpest = parts.filter(({ count }) => count > 0).map(deviation).sort((a, b) => b - a).slice(0, sharpestParts); // prettier-ignore
  return { sharpness: deviation(whole), detail: sharpest.reduce((sum, own) => sum + own, 0) / sharpest.length };
}

function deviation({
  count,
  sum,
  squares,
}: {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}) {
  const mean = sum / count;
  return Math.sqrt(Math.max(0, squares / count - mean * mean));
}
