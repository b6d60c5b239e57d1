import { bytesAt, kernels, placesFrom } from './pixelKernels.ts';
import type { RgbImage } from './rgbImage.ts';

/**
 * An affine map from output to input in continuous coordinates, pixel centres at one half:
 * `x' = a x + b y + c`, `y' = d x + e y + f`.
 */
export interface Affine {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

/** Room for the vectors that the kernel keeps. */
const vectorBytes = 160;

/**
 * Samples a square of `size` x `size` pixels through an affine map, bilinear, into planes: `[3, size, size]`, R, G, B.
 * What lies outside the image is black, and inside, the outermost pixels are carried to the edge, as Pillow's
 * `transform` does. They are written into `out` and returned.
 */
export function warp(image: RgbImage, map: Affine, size: number, out = new Uint8Array(3 * size * size)): Uint8Array {
  // The kernel reads a row beyond the last, without using it.
  const reach = image.data.length + image.width * 3;
  const [source, target, vectors] = placesFrom(image.data, reach, out.length, vectorBytes) as [number, number, number];
  const { a, b, c, d, e, f } = map;
  kernels.warp(source, image.width, image.height, target, size, a, b, c, d, e, f, vectors);
  out.set(bytesAt(target, out.length));
  return out;
}

/** The map of a turn by `degrees` counter-clockwise about the image's centre, then a centred square of `size`, then a flip. */
export function rotatedCentreCrop(
  image: RgbImage,
  size: number,
  offset: { readonly left: number; readonly top: number },
  degrees: number,
  flip: boolean,
): Affine {
  const angle = (degrees * Math.PI) / 180;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const centreX = image.width / 2;
  const centreY = image.height / 2;
  // Output pixel -> pixel of the turned image -> pixel of the image.
  const sign = flip ? -1 : 1;
  const startX = offset.left + (flip ? size : 0) - centreX;
  const startY = offset.top - centreY;
  return {
    a: sign * cos,
    b: -sin,
    c: cos * startX - sin * startY + centreX,
    d: sign * sin,
    e: cos,
    f: sin * startX + cos * startY + centreY,
  };
}

/** The map that stretches a rectangle of the image to a square of `size`, then flips. */
export function stretchedBox(
  box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
  size: number,
  flip: boolean,
): Affine {
  const scale = box.width / size;
  return {
    a: flip ? -scale : scale,
    b: 0,
    c: box.left + (flip ? box.width : 0),
    d: 0,
    e: box.height / size,
    f: box.top,
  };
}
