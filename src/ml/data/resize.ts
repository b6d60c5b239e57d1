import { bytesAt, kernels, placesFor, putIntegers } from './pixelKernels.ts';
import type { RgbImage } from './rgbImage.ts';

/** Bits after the point of Pillow's weights. */
const weightBits = 22;

/** For each output position: the first input position that counts, and the weights of `taps` of them from there on. */
interface Weights {
  readonly taps: number;
  readonly first: Int32Array;
  readonly weights: Int32Array;
}

/** A triangle over the inputs about each output's centre, as wide as an output pixel but no narrower than an input's. */
function triangleWeights(from: number, to: number): Weights {
  const scale = from / to;
  const support = Math.max(1, scale);
  const taps = Math.min(from, Math.ceil(support) * 2 + 1);
  const first = new Int32Array(to);
  const weights = new Int32Array(to * taps);
  for (let index = 0; index < to; index++) {
    const centre = (index + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const high = Math.min(from, Math.trunc(centre + support + 0.5));
    // Where fewer count than there are taps, the others weigh nothing; none may lie beyond the end.
    const start = Math.min(low, from - taps);
    first[index] = start;
    const weightAt = (position: number) => Math.max(0, 1 - Math.abs((position - centre + 0.5) / support));
    let sum = 0;
    for (let position = low; position < high; position++) sum += weightAt(position);
    for (let position = low; position < high; position++) {
      weights[index * taps + position - start] = Math.trunc((weightAt(position) / sum) * 2 ** weightBits + 0.5);
    }
  }
  return { taps, first, weights };
}

/**
 * Resizes an image as Pillow's `resize` does with its bilinear, antialiased filter, to the last bit: rows first, rounded
 * to 8 bits, then columns. The result lies in memory that threads can share.
 */
export function resize(image: RgbImage, width: number, height: number): RgbImage {
  const [columns, rows] = [triangleWeights(image.width, width), triangleWeights(image.height, height)];
  const [source, between, target, first, weights] = placesFor(
    image.data.length,
    width * image.height * 3,
    width * height * 3,
    4 * Math.max(width, height),
    4 * Math.max(columns.weights.length, rows.weights.length),
  ) as [number, number, number, number, number];
  const put = (to: Weights) => {
    putIntegers(first, to.first);
    putIntegers(weights, to.weights);
  };
  bytesAt(source, image.data.length).set(image.data);
  put(columns);
  kernels.resizeWidth(source, image.width, image.height, between, width, first, weights, columns.taps);
  put(rows);
  kernels.resizeHeight(between, width * 3, target, height, first, weights, rows.taps);
  const data = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  data.set(bytesAt(target, data.length));
  return { width, height, data };
}
