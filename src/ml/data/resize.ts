import type { Interpolation } from '../../protocol/preprocessing.ts';
import { bytesAt, kernels, placesFrom, putIntegers, type SharedRoom, takePixels } from './pixelKernels.ts';
import type { RgbImage } from './rgbImage.ts';

/** Bits after the point of Pillow's weights. */
const weightBits = 22;
const wholeWeight = 2 ** weightBits;
/** Of these, so many are in a pair's first number, which is one with a sign. */
const lowBits = 8;

/**
 * For each output position: the first input position that counts, how many do from there on, and their weights; each
 * position has room for `taps` of them.
 */
interface Weights {
  readonly taps: number;
  readonly ranges: Int32Array;
  readonly weights: Int32Array;
}

/** How much an input counts by its distance from an output's centre, and the distance from which on it does not. */
interface Filter {
  readonly radius: number;
  readonly share: (distance: number) => number;
}

/** Pillow's: a triangle, Keys' cubic with a = -0.5 (https://doi.org/10.1109/TASSP.1981.1163711), and a sinc windowed by its own middle lobe. */
const filters: Readonly<Record<Interpolation, Filter>> = {
  bilinear: { radius: 1, share: (distance) => Math.max(0, 1 - distance) },
  bicubic: {
    radius: 2,
    share: (distance) => {
      if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
      return distance < 2 ? ((-0.5 * distance + 2.5) * distance - 4) * distance + 2 : 0;
    },
  },
  lanczos: { radius: 3, share: (distance) => (distance < 3 ? sinc(distance) * sinc(distance / 3) : 0) },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The filter over the inputs about each output's centre, as wide as an output pixel but no narrower than an input's. */
function filterWeights(from: number, to: number, interpolation: Interpolation): Weights {
  const { radius, share } = filters[interpolation];
  const scale = from / to;
  const width = Math.max(1, scale);
  const support = radius * width;
  const taps = Math.ceil(support) * 2 + 2;
  const ranges = new Int32Array(2 * to);
  const weights = new Int32Array(to * taps);
  const shares = new Float64Array(taps);
  for (let index = 0; index < to; index++) {
    const centre = (index + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const high = Math.min(from, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let position = low; position < high; position++) {
      const counts = share(Math.abs((position - centre + 0.5) / width));
      shares[position - low] = counts;
      sum += counts;
    }
    // What rounds to nothing at either end is left out: for nearly equal sizes one or two of three.
    let [first, count] = [low, 0];
    for (let position = low; position < high; position++) {
      const weight = roundedAway(((shares[position - low] ?? 0) / sum) * wholeWeight);
      if (count === 0 && weight === 0) first = position + 1;
      else weights[index * taps + count++] = weight;
    }
    while (count > 1 && weights[index * taps + count - 1] === 0) count--;
    ranges[2 * index] = first;
    ranges[2 * index + 1] = count;
  }
  return { taps, ranges, weights };
}

/** The nearest whole number; halves go away from zero. */
function roundedAway(value: number): number {
  return Math.trunc(value + (value < 0 ? -0.5 : 0.5));
}

/** Weights two by two as the kernels take them: the low bits of both, then the high ones, rounded. */
function inPairs({ taps, ranges, weights }: Weights): Weights {
  const [pairRanges, pairs] = [ranges.slice(), weights.slice()];
  for (let at = 1; at < ranges.length; at += 2) pairRanges[at] = ((ranges[at] ?? 0) + 1) >> 1;
  const high = (weight: number) => (weight + (1 << (lowBits - 1))) >> lowBits;
  const low = (weight: number) => weight - (high(weight) << lowBits);
  const both = (first: number, second: number) => (first & 0xffff) | (second << 16);
  for (let at = 0; at < weights.length; at += 2) {
    const [first = 0, second = 0] = [weights[at], weights[at + 1]];
    pairs[at] = both(low(first), low(second));
    pairs[at + 1] = both(high(first), high(second));
  }
  return { taps, ranges: pairRanges, weights: pairs };
}

/** The images of a set are of few sizes: as many weights are kept, some kilobytes each, and the oldest given up. */
const keptWeights = 256;

function remembered(make: typeof filterWeights): typeof filterWeights {
  const kept = new Map<string, Weights>();
  return (from, to, interpolation) => {
    const key = `${from} to ${to} ${interpolation}`;
    const weights = kept.get(key) ?? make(from, to, interpolation);
    kept.delete(key);
    kept.set(key, weights);
    const [oldest = key] = kept.keys();
    if (kept.size > keptWeights) kept.delete(oldest);
    return weights;
  };
}

const weightsFor = remembered((...size) => inPairs(filterWeights(...size)));

/** Rows that `resizeWidth` works on beyond the last one, bytes of a row that it overwrites there, and bytes of a vector. */
const [rowsBeyond, bytesBeyond, vectorBytes] = [3, 4, 16];

function strideOf(width: number): number {
  return Math.ceil((width * 3 + bytesBeyond) / vectorBytes) * vectorBytes;
}

/**
 * Resizes an image as Pillow's `resize` does with this antialiased filter, to the last bit: rows first, rounded to 8 bits,
 * then columns. (Pillow 13 takes the columns of tall images first, and values are up to one level apart then.) The result
 * lies in memory of `room`, of its own without it.
 */
export function resize(
  image: RgbImage,
  width: number,
  height: number,
  interpolation: Interpolation = 'bilinear',
  room: SharedRoom = (bytes) => new Uint8Array(new SharedArrayBuffer(bytes)),
): RgbImage {
  const columns = weightsFor(image.width, width, interpolation);
  const rows = weightsFor(image.height, height, interpolation);
  const stride = strideOf(width);
  const [source, between, target, ...filter] = placesFrom(
    image.data,
    image.data.length + rowsBeyond * image.width * 3,
    (image.height + rowsBeyond) * stride,
    width * height * 3,
    ...filterBytes(columns, rows),
  ) as [number, number, number, number, number];
  putFilter(filter, columns);
  kernels.resizeWidth(source, image.width, image.height, between, width, stride, ...filter, columns.taps);
  putFilter(filter, rows);
  kernels.resizeHeight(between, stride, width * 3, target, height, ...filter, rows.taps, true);
  return { width, height, data: takePixels(target, width * height * 3, room) };
}

/**
 * The same with columns first, which is less work where few rows are left, and by coarser weights for these: R, G, B
 * interleaved. Here and there it differs from `resize` by a level.
 */
export function squeeze(image: RgbImage, width: number, height: number): Uint8Array {
  const columns = weightsFor(image.width, width, 'bilinear');
  const rows = weightsFor(image.height, height, 'bilinear');
  const [sourceStride, stride] = [image.width * 3, strideOf(width)];
  const [source, between, target, ...filter] = placesFrom(
    image.data,
    image.data.length + sourceStride,
    (height + rowsBeyond) * sourceStride,
    (height + rowsBeyond) * stride,
    ...filterBytes(columns, rows),
  ) as [number, number, number, number, number];
  putFilter(filter, rows);
  kernels.resizeHeight(source, sourceStride, sourceStride, between, height, ...filter, rows.taps, false);
  putFilter(filter, columns);
  kernels.resizeWidth(between, image.width, height, target, width, stride, ...filter, columns.taps);
  kernels.pack(target, stride, width * 3, height);
  return bytesAt(target, width * height * 3).slice();
}

/** Bytes of the larger of two filters' ranges and weights. */
function filterBytes(a: Weights, b: Weights): [number, number] {
  return [4 * Math.max(a.ranges.length, b.ranges.length), 4 * Math.max(a.weights.length, b.weights.length)];
}

function putFilter([ranges, weights]: readonly [number, number], filter: Weights): void {
  putIntegers(ranges, filter.ranges);
  putIntegers(weights, filter.weights);
}
