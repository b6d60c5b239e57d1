/*
 * The inner loops of the data path in AssemblyScript, compiled to WebAssembly with 128-bit vectors. Pointers are byte
 * offsets into the module's memory, which `pixelKernels.ts` lays out. Vectors reach beyond the end of an image by up to
 * sixteen bytes, which may be read and overwritten there.
 */

/** Weights of a resize have so many bits after the point, as in Pillow. */
const weightBits: i32 = 22;
const roundWeights: i32 = 1 << (weightBits - 1);
/** Of these, so many make a small number beside the one that the others make, which is rounded. */
const lowBits: i32 = 8;

/** Coordinates of a warp have so many bits after the point, of which the first eight weigh the neighbours. */
const coordinateBits: i32 = 16;
const one: i32 = 1 << coordinateBits;

/** Sixteen numbers of 32 bits, cut off at 0 and 255, as sixteen bytes. */
function narrow(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/** Where the bytes of two RGB pixels go to become `pairs`; beyond 127 there is nothing. */
const pairBytes = i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);

/** The next two RGB pixels as pairs of 16-bit numbers: red and red, green and green, blue and blue. */
function pairs(pointer: usize): v128 {
  return i8x16.swizzle(v128.load64_zero(pointer), pairBytes);
}

/** Sums of products by the low bits of weights and by the high ones, brought together and rounded. */
function joined(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(low, i32x4.shl(high, lowBits)), weightBits);
}

/** Sums of products by the high bits of weights alone. */
function whole(high: v128): v128 {
  return i32x4.shr_s(high, weightBits - lowBits);
}

/** The first eight bytes of two vectors, or the last, each beside that of the other. */
function firstPairs(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
function lastPairs(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Pairs of 16-bit numbers times pairs of weights, added up and rounded. */
function summed(pairs: v128, low: v128, high: v128): v128 {
  return joined(i32x4.add(i32x4.splat(roundWeights), i32x4.dot_i16x8_s(pairs, low)), i32x4.dot_i16x8_s(pairs, high));
}

/** Whether four columns are each of a single pair, and begin one column behind the other. */
function areLevel(range: usize): bool {
  const start = v128.and(v128.load32_splat(range), i32x4(-1, 0, -1, 0));
  const here = v128.xor(v128.load(range), i32x4.add(start, i32x4(0, 1, 1, 1)));
  const there = v128.xor(v128.load(range, 16), i32x4.add(start, i32x4(2, 1, 3, 1)));
  return !v128.any_true(v128.or(here, there));
}

/** Four pixels of a row whose columns are level, by the weights of four bytes at a time; four bytes beyond are overwritten. */
function levelPixels(
  pixel: usize,
  place: usize,
  lowA: v128,
  lowB: v128,
  lowC: v128,
  highA: v128,
  highB: v128,
  highC: v128,
): void {
  const left = v128.load(pixel);
  const right = v128.load(pixel, 3);
  const near = firstPairs(left, right);
  const far = lastPairs(left, right);
  const a = summed(i16x8.extend_low_i8x16_u(near), lowA, highA);
  const b = summed(i16x8.extend_high_i8x16_u(near), lowB, highB);
  const c = summed(i16x8.extend_low_i8x16_u(far), lowC, highC);
  v128.store(place, narrow(a, b, c, c));
}

/**
 * Resizes the rows of an RGB image: column x of `width` is the sum of `ranges[2x + 1]` pairs of columns of `source` from
 * `ranges[2x]` on, times the weights from `weights[taps * x]` on. A pair's weights, which take 22 bits, come as four numbers
 * of 16 bits: the low bits of both, then the high ones. So a product of pairs adds both, and the sums are exact. Rows of
 * the result have `stride` bytes, four or more beyond the last pixel, and come four by four: up to three more than `rows`.
 * Where sizes are nearly the same most columns are level, and vectors are full then.
 */
export function resizeWidth(
  source: usize,
  sourceWidth: i32,
  rows: i32,
  target: usize,
  width: i32,
  stride: i32,
  ranges: usize,
  weights: usize,
  taps: i32,
): void {
  const round = i32x4.splat(roundWeights);
  const sourceStride = sourceWidth * 3;
  for (let row = 0; row < rows; row += 4) {
    const line = source + row * sourceStride;
    let place = target + row * stride;
    for (let column = 0; column < width; column++) {
      let pixel = line + load<i32>(ranges + (column << 3)) * 3;
      let weight = weights + ((column * taps) << 2);
      if (column + 4 <= width && areLevel(ranges + (column << 3))) {
        const a = v128.load64_zero(weight);
        const b = v128.load64_zero(weight + (taps << 2));
        const c = v128.load64_zero(weight + (taps << 3));
        const d = v128.load64_zero(weight + taps * 12);
        const lowA = i32x4.shuffle(a, b, 0, 0, 0, 4);
        const lowB = i32x4.shuffle(b, c, 0, 0, 4, 4);
        const lowC = i32x4.shuffle(c, d, 0, 4, 4, 4);
        const highA = i32x4.shuffle(a, b, 1, 1, 1, 5);
        const highB = i32x4.shuffle(b, c, 1, 1, 5, 5);
        const highC = i32x4.shuffle(c, d, 1, 5, 5, 5);
        levelPixels(pixel, place, lowA, lowB, lowC, highA, highB, highC);
        levelPixels(pixel + sourceStride, place + stride, lowA, lowB, lowC, highA, highB, highC);
        levelPixels(pixel + 2 * sourceStride, place + 2 * stride, lowA, lowB, lowC, highA, highB, highC);
        levelPixels(pixel + 3 * sourceStride, place + 3 * stride, lowA, lowB, lowC, highA, highB, highC);
        place += 12;
        column += 3;
        continue;
      }
      const end = weight + (load<i32>(ranges + (column << 3), 4) << 3);
      let lowA = round;
      let lowB = round;
      let lowC = round;
      let lowD = round;
      let highA = i32x4.splat(0);
      let highB = highA;
      let highC = highA;
      let highD = highA;
      for (; weight < end; weight += 8) {
        const low = v128.load32_splat(weight);
        const high = v128.load32_splat(weight, 4);
        const a = pairs(pixel);
        const b = pairs(pixel + sourceStride);
        const c = pairs(pixel + 2 * sourceStride);
        const d = pairs(pixel + 3 * sourceStride);
        lowA = i32x4.add(lowA, i32x4.dot_i16x8_s(a, low));
        lowB = i32x4.add(lowB, i32x4.dot_i16x8_s(b, low));
        lowC = i32x4.add(lowC, i32x4.dot_i16x8_s(c, low));
        lowD = i32x4.add(lowD, i32x4.dot_i16x8_s(d, low));
        highA = i32x4.add(highA, i32x4.dot_i16x8_s(a, high));
        highB = i32x4.add(highB, i32x4.dot_i16x8_s(b, high));
        highC = i32x4.add(highC, i32x4.dot_i16x8_s(c, high));
        highD = i32x4.add(highD, i32x4.dot_i16x8_s(d, high));
        pixel += 6;
      }
      const values = narrow(joined(lowA, highA), joined(lowB, highB), joined(lowC, highC), joined(lowD, highD));
      // The fourth byte is overwritten by the next pixel, or lies beyond the last one.
      v128.store32_lane(place, values, 0);
      v128.store32_lane(place + stride, values, 1);
      v128.store32_lane(place + 2 * stride, values, 2);
      v128.store32_lane(place + 3 * stride, values, 3);
      place += 3;
    }
  }
}

/**
 * Resizes the columns of an image whose rows have `stride` bytes, `bytes` of which count: row y of `height` is the sum of
 * `ranges[2y + 1]` pairs of rows of `source` from `ranges[2y]` on, times the weights from `weights[taps * y]` on, which are
 * as for `resizeWidth`; unless the sums are to be exact, only their high bits count, and here and there a value is one off.
 * Rows of the result have `bytes` bytes. The last pair may go a row beyond the image.
 */
export function resizeHeight(
  source: usize,
  stride: i32,
  bytes: i32,
  target: usize,
  height: i32,
  ranges: usize,
  weights: usize,
  taps: i32,
  exact: bool,
): void {
  if (exact) sumRows<i32>(source, stride, bytes, target, height, ranges, weights, taps);
  else sumRows<i16>(source, stride, bytes, target, height, ranges, weights, taps);
}

/** By weights of 32 bits, which are taken apart for exact sums, or by their high 16 bits alone: it is compiled for either. */
function sumRows<Weight>(
  source: usize,
  stride: i32,
  bytes: i32,
  target: usize,
  height: i32,
  ranges: usize,
  weights: usize,
  taps: i32,
): void {
  const exact = sizeof<Weight>() === 4;
  const round = i32x4.splat(exact ? roundWeights : roundWeights >> lowBits);
  for (let row = 0; row < height; row++) {
    const line = source + load<i32>(ranges + (row << 3)) * stride;
    const first = weights + ((row * taps) << 2);
    const end = first + (load<i32>(ranges + (row << 3), 4) << 3);
    // What is written beyond the end of a row is overwritten by the next one.
    for (let at = 0; at < bytes; at += 16) {
      let place = line + at;
      let lowA = round;
      let lowB = round;
      let lowC = round;
      let lowD = round;
      let highA = exact ? i32x4.splat(0) : round;
      let highB = highA;
      let highC = highA;
      let highD = highA;
      for (let weight = first; weight < end; weight += 8) {
        const high = v128.load32_splat(weight, 4);
        const upper = v128.load(place);
        const lower = v128.load(place + stride);
        const left = firstPairs(upper, lower);
        const right = lastPairs(upper, lower);
        const a = i16x8.extend_low_i8x16_u(left);
        const b = i16x8.extend_high_i8x16_u(left);
        const c = i16x8.extend_low_i8x16_u(right);
        const d = i16x8.extend_high_i8x16_u(right);
        if (exact) {
          const low = v128.load32_splat(weight);
          lowA = i32x4.add(lowA, i32x4.dot_i16x8_s(a, low));
          lowB = i32x4.add(lowB, i32x4.dot_i16x8_s(b, low));
          lowC = i32x4.add(lowC, i32x4.dot_i16x8_s(c, low));
          lowD = i32x4.add(lowD, i32x4.dot_i16x8_s(d, low));
        }
        highA = i32x4.add(highA, i32x4.dot_i16x8_s(a, high));
        highB = i32x4.add(highB, i32x4.dot_i16x8_s(b, high));
        highC = i32x4.add(highC, i32x4.dot_i16x8_s(c, high));
        highD = i32x4.add(highD, i32x4.dot_i16x8_s(d, high));
        place += 2 * stride;
      }
      const values = exact
        ? narrow(joined(lowA, highA), joined(lowB, highB), joined(lowC, highC), joined(lowD, highD))
        : narrow(whole(highA), whole(highB), whole(highC), whole(highD));
      v128.store(target + row * bytes + at, values);
    }
  }
}

/** Moves rows of `stride` bytes together, so that the `bytes` of each that count follow those of the one before. */
export function pack(rows: usize, stride: i32, bytes: i32, count: i32): void {
  for (let row = 1; row < count; row++) memory.copy(rows + row * bytes, rows + row * stride, bytes);
}

/** Vectors that `warp` reads in its inner loop: as constants they would be put together anew for each four pixels. */
const atStepsX: usize = 0;
const atStepsY: usize = 16;
const atMaxX: usize = 32;
const atMaxY: usize = 48;
const atStride: usize = 64;
const atChannels: usize = 80;
const atFraction: usize = 96;
const atWhole: usize = 112;
const atBias: usize = 128;
const atSigns: usize = 144;

/**
 * One pixel's channels, from its four neighbours, of which the first is at `place`: rows first, then columns, by shares of 256.
 * Sums of 16 bits are taken less half of their range, so that they have a sign, plus a half of what is cut off in the end.
 */
function blended(place: usize, stride: usize, columns: v128, upper: v128, lower: v128, bias: v128): v128 {
  const sums = i16x8.add(i16x8.mul(pairs(place), upper), i16x8.mul(pairs(place + stride), lower));
  return i32x4.shr_s(i32x4.dot_i16x8_s(i16x8.add(sums, bias), columns), coordinateBits);
}

/** Lane by lane: a number four times. */
function first(lanes: v128): v128 {
  return i32x4.shuffle(lanes, lanes, 0, 0, 0, 0);
}
function second(lanes: v128): v128 {
  return i32x4.shuffle(lanes, lanes, 1, 1, 1, 1);
}
function third(lanes: v128): v128 {
  return i32x4.shuffle(lanes, lanes, 2, 2, 2, 2);
}
function fourth(lanes: v128): v128 {
  return i32x4.shuffle(lanes, lanes, 3, 3, 3, 3);
}

/** A number in both halves of each lane. */
function doubled(lanes: v128): v128 {
  return v128.or(lanes, i32x4.shl(lanes, 16));
}

/** Four pixels, half a pixel beyond `x` and `y`, which are brought into the image: four bytes of red, four of green, four of blue. */
function sampleFour(source: usize, stride: usize, vectors: usize, x: v128, y: v128): v128 {
  const left = i32x4.min_s(i32x4.max_s(x, i32x4.splat(0)), v128.load(vectors, atMaxX));
  const top = i32x4.min_s(i32x4.max_s(y, i32x4.splat(0)), v128.load(vectors, atMaxY));
  const fraction = v128.load(vectors, atFraction);
  const whole = v128.load(vectors, atWhole);
  const right = v128.and(i32x4.shr_s(left, 8), fraction);
  const below = v128.and(i32x4.shr_s(top, 8), fraction);
  const upper = doubled(i32x4.sub(whole, below));
  const lower = doubled(below);
  const columns = v128.or(i32x4.shl(right, 16), i32x4.sub(whole, right));
  const places = i32x4.add(
    i32x4.mul(i32x4.shr_s(top, coordinateBits), v128.load(vectors, atStride)),
    i32x4.mul(i32x4.shr_s(left, coordinateBits), v128.load(vectors, atChannels)),
  );
  const bias = v128.load(vectors, atBias);
  // Beyond the last column and row the weights are 0, and whatever lies there may be read.
  const placeA: usize = source + i32x4.extract_lane(places, 0);
  const placeB: usize = source + i32x4.extract_lane(places, 1);
  const placeC: usize = source + i32x4.extract_lane(places, 2);
  const placeD: usize = source + i32x4.extract_lane(places, 3);
  const a = blended(placeA, stride, first(columns), first(upper), first(lower), bias);
  const b = blended(placeB, stride, second(columns), second(upper), second(lower), bias);
  const c = blended(placeC, stride, third(columns), third(upper), third(lower), bias);
  const d = blended(placeD, stride, fourth(columns), fourth(upper), fourth(lower), bias);
  const narrowed = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
  const pixels = v128.xor(narrowed, v128.load(vectors, atSigns));
  return i8x16.shuffle(pixels, pixels, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/** How many steps a coordinate that is inside stays below a limit and above 0, the first included. */
function stepsInside(at: i32, step: i32, limit: i32): i32 {
  if (step > 0) return (limit - 1 - at) / step + 1;
  return step < 0 ? at / -step + 1 : i32.MAX_VALUE;
}

/** A coordinate by its bits after the point: the nearest whole number, halves upwards, as JavaScript's `Math.round`. */
function fixed(coordinate: f64): i32 {
  const scaled = coordinate * <f64>one;
  const above = ceil<f64>(scaled);
  return <i32>(<i64>(above - 0.5 > scaled ? above - 1 : above));
}

/**
 * Samples a square of `size` x `size` pixels bilinearly into planes, which are made black before. Pixel (x, y) of the square,
 * its centre at one half, lies at `a x + b y + c` and `d x + e y + f` in the image; what lies outside stays black. `vectors` is
 * room for ten of them.
 */
export function warp(
  source: usize,
  width: i32,
  height: i32,
  target: usize,
  size: i32,
  a: f64,
  b: f64,
  c: f64,
  d: f64,
  e: f64,
  f: f64,
  vectors: usize,
): void {
  const stepX = fixed(a);
  const stepY = fixed(d);
  const limitX = width << coordinateBits;
  const limitY = height << coordinateBits;
  const plane = size * size;
  memory.fill(target, 0, 3 * plane);
  v128.store(vectors, i32x4.splat(4 * stepX), atStepsX);
  v128.store(vectors, i32x4.splat(4 * stepY), atStepsY);
  v128.store(vectors, i32x4.splat((width - 1) << coordinateBits), atMaxX);
  v128.store(vectors, i32x4.splat((height - 1) << coordinateBits), atMaxY);
  v128.store(vectors, i32x4.splat(width * 3), atStride);
  v128.store(vectors, i32x4.splat(3), atChannels);
  v128.store(vectors, i32x4.splat(255), atFraction);
  v128.store(vectors, i32x4.splat(256), atWhole);
  v128.store(vectors, i16x8.splat(-32640), atBias);
  v128.store(vectors, i8x16.splat(-128), atSigns);
  const steps = i32x4(0, 1, 2, 3);
  const half = i32x4.splat(one >> 1);
  const ahead = i32x4.sub(i32x4.mul(steps, i32x4.splat(stepX)), half);
  const below = i32x4.sub(i32x4.mul(steps, i32x4.splat(stepY)), half);
  for (let row = 0; row < size; row++) {
    let x = fixed(a * 0.5 + b * (<f64>row + 0.5) + c);
    let y = fixed(d * 0.5 + e * (<f64>row + 0.5) + f);
    let place = target + row * size;
    const end = place + size;
    while (place < end && !(<u32>x < <u32>limitX && <u32>y < <u32>limitY)) {
      place++;
      x += stepX;
      y += stepY;
    }
    if (place === end) continue;
    // A line enters an image once and leaves it once.
    const inside = min(stepsInside(x, stepX, limitX), stepsInside(y, stepY, limitY));
    let fourX = i32x4.add(i32x4.splat(x), ahead);
    let fourY = i32x4.add(i32x4.splat(y), below);
    for (let left = min(<i32>(end - place), inside); left > 0; left -= 4) {
      const pixels = sampleFour(source, width * 3, vectors, fourX, fourY);
      if (left >= 4) {
        v128.store32_lane(place, pixels, 0);
        v128.store32_lane(place + plane, pixels, 1);
        v128.store32_lane(place + 2 * plane, pixels, 2);
      } else {
        v128.store8_lane(place, pixels, 0);
        v128.store8_lane(place + plane, pixels, 4);
        v128.store8_lane(place + 2 * plane, pixels, 8);
        if (left > 1) {
          v128.store8_lane(place + 1, pixels, 1);
          v128.store8_lane(place + 1 + plane, pixels, 5);
          v128.store8_lane(place + 1 + 2 * plane, pixels, 9);
        }
        if (left > 2) {
          v128.store8_lane(place + 2, pixels, 2);
          v128.store8_lane(place + 2 + plane, pixels, 6);
          v128.store8_lane(place + 2 + 2 * plane, pixels, 10);
        }
      }
      place += 4;
      fourX = i32x4.add(fourX, v128.load(vectors, atStepsX));
      fourY = i32x4.add(fourY, v128.load(vectors, atStepsY));
    }
  }
}

/** Bytes that `digest` takes at a time. */
const stripe: i32 = 64;

/** The lower half of each 64-bit number times its upper half. */
function halvesMultiplied(numbers: v128): v128 {
  return i64x2.extmul_low_i32x4_u(
    i32x4.shuffle(numbers, numbers, 0, 2, 0, 2),
    i32x4.shuffle(numbers, numbers, 1, 3, 1, 3),
  );
}

/** What a part of a stripe adds to its sums: products by a key, and the numbers themselves, crosswise, lest a zero hides one. */
function mixed(sums: v128, part: v128, key: v128): v128 {
  return i64x2.add(i64x2.add(sums, halvesMultiplied(v128.xor(part, key))), i64x2.shuffle(part, part, 1, 0));
}

/**
 * Writes 64 bytes to `target` that depend on each bit of the source and on its place, in the manner of XXH3: the last stripe
 * goes on beyond the end, where zeros have to be. No secret is kept by it.
 */
export function digest(source: usize, bytes: i32, target: usize): void {
  let a = i64x2(0, 0);
  let b = a;
  let c = a;
  let d = a;
  // Any odd numbers: the keys go through all of 64 bits.
  let key = i64x2(0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f);
  const next = i64x2(0xd6e8feb86659fd93, 0xa0761d6478bd642f);
  for (let at = 0; at < bytes; at += stripe) {
    const place = source + at;
    a = mixed(a, v128.load(place), key);
    key = i64x2.add(key, next);
    b = mixed(b, v128.load(place, 16), key);
    key = i64x2.add(key, next);
    c = mixed(c, v128.load(place, 32), key);
    key = i64x2.add(key, next);
    d = mixed(d, v128.load(place, 48), key);
    key = i64x2.add(key, next);
  }
  v128.store(target, a);
  v128.store(target, b, 16);
  v128.store(target, c, 32);
  v128.store(target, d, 48);
}
