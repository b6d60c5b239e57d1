import { bytesAt, kernels, placesFrom, putIntegers } from './pixelKernels.ts';
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

/** Bits after the point of a coordinate, which leave 15 before it. */
const one = 1 << 16;

/**
 * Samples a square of `size` x `size` pixels through an affine map, bilinear, into planes: `[3, size, size]`, R, G, B.
 * What lies outside the image is black, and inside, the outermost pixels are carried to the edge, as Pillow's
 * `transform` does. They are written into `out` and returned.
 */
export function warp(image: RgbImage, map: Affine, size: number, out = new Uint8Array(3 * size * size)): Uint8Array {
  const starts = new Int32Array(2 * size);
  for (let row = 0; row < size; row++) {
    starts[2 * row] = Math.round((map.a * 0.5 + map.b * (row + 0.5) + map.c) * one);
    starts[2 * row + 1] = Math.round((map.d * 0.5 + map.e * (row + 0.5) + map.f) * one);
  }
  // The kernel reads a row beyond the last, without using it.
  const reach = image.data.length + image.width * 3;
  const [source, target, rows, vectors] = placesFrom(image.data, reach, out.length, starts.byteLength, vectorBytes) as [
    number,
    number,
    number,
    number,
  ];
  bytesAt(target, out.length).fill(0);
  putIntegers(rows, starts);
  const [stepX, stepY] = [Math.round(map.a * one), Math.round(map.d * one)];
  kernels.warp(source, image.width, image.height, target, size, rows, stepX, stepY, vectors);
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
