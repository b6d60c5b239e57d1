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

const fractionBits = 16;
const one = 1 << fractionBits;

/**
 * Samples a square of `size` x `size` pixels through an affine map, bilinear, into planes: `[3, size, size]`, R, G, B.
 * What lies outside the image is black, and inside, the outermost pixels are carried to the edge, as Pillow's
 * `transform` does. About 1.3 ms for 224 x 224.
 */
export function warp(image: RgbImage, map: Affine, size: number): Uint8Array {
  const { width, height, data } = image;
  const plane = size * size;
  const out = new Uint8Array(3 * plane);
  // Fixed point: 16 bits of fraction leave 15 for the coordinate; the first 8 of the fraction weigh the neighbours.
  const stepX = Math.round(map.a * one);
  const stepY = Math.round(map.d * one);
  const limitX = width * one;
  const limitY = height * one;
  const maxX = (width - 1) * one;
  const maxY = (height - 1) * one;
  const half = one >> 1;
  const stride = width * 3;
  let target = 0;
  for (let row = 0; row < size; row++) {
    let x = Math.round((map.a * 0.5 + map.b * (row + 0.5) + map.c) * one) | 0;
    let y = Math.round((map.d * 0.5 + map.e * (row + 0.5) + map.f) * one) | 0;
    for (let column = 0; column < size; column++, target++, x = (x + stepX) | 0, y = (y + stepY) | 0) {
      if (x < 0 || y < 0 || x >= limitX || y >= limitY) continue;
      const left = x < half ? 0 : x - half > maxX ? maxX : x - half;
      const top = y < half ? 0 : y - half > maxY ? maxY : y - half;
      const weightX = (left >> 8) & 255;
      const weightY = (top >> 8) & 255;
      const lowerRight = Math.imul(weightX, weightY);
      const lowerLeft = (weightY << 8) - lowerRight;
      const upperRight = (weightX << 8) - lowerRight;
      const upperLeft = 65536 - lowerLeft - upperRight - lowerRight;
      const first = Math.imul(top >> fractionBits, stride) + (left >> fractionBits) * 3;
      const second = first + (left < maxX ? 3 : 0);
      const third = first + (top < maxY ? stride : 0);
      const fourth = third + second - first;
      // A loop over the channels, or products without imul, take a third longer.
      out[target] =
        (Math.imul(data[first] ?? 0, upperLeft) +
          Math.imul(data[second] ?? 0, upperRight) +
          Math.imul(data[third] ?? 0, lowerLeft) +
          Math.imul(data[fourth] ?? 0, lowerRight) +
          32768) >>
        16;
      out[target + plane] =
        (Math.imul(data[first + 1] ?? 0, upperLeft) +
          Math.imul(data[second + 1] ?? 0, upperRight) +
          Math.imul(data[third + 1] ?? 0, lowerLeft) +
          Math.imul(data[fourth + 1] ?? 0, lowerRight) +
          32768) >>
        16;
      out[target + 2 * plane] =
        (Math.imul(data[first + 2] ?? 0, upperLeft) +
          Math.imul(data[second + 2] ?? 0, upperRight) +
          Math.imul(data[third + 2] ?? 0, lowerLeft) +
          Math.imul(data[fourth + 2] ?? 0, lowerRight) +
          32768) >>
        16;
    }
  }
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
