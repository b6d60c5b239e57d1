/*
 * The inner loops of the data path in AssemblyScript, compiled to WebAssembly with 128-bit vectors. Pointers are byte
 * offsets into the module's memory, which `pixelKernels.ts` lays out. Vectors reach beyond the end of an image by up to
 * sixteen bytes, which may be read and overwritten there.
 */

/** Weights of a resize have so many bits after the point, as in Pillow. */
const weightBits: i32 = 22;
const roundWeights: i32 = 1 << (weightBits - 1);
/** Of these, so many make a signed number of 16 bits. */
const lowBits: i32 = 15;

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

/** Sums of products by the low 15 bits of weights and by the high ones, brought together and rounded. */
function joined(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(low, i32x4.shl(high, lowBits)), weightBits);
}

/**
 * Resizes the rows of an RGB image: column x of `width` is the sum of `ranges[2x + 1]` pairs of columns of `source` from
 * `ranges[2x]` on, times the weights from `weights[taps * x]` on. A pair's weights, which take 22 bits, come as four numbers
 * of 16 bits: the low 15 bits of both, then the high ones. So a product of pairs adds both, and the sums are exact. Rows of
 * the result have `stride` bytes, one or more beyond the last pixel, and come four by four: up to three more than `rows`.
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
 * `ranges[2y + 1]` rows of `source` from `ranges[2y]` on, times the weights from `weights[taps * y]` on. Rows of the result
 * have `bytes` bytes.
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
): void {
  for (let row = 0; row < height; row++) {
    const line = source + load<i32>(ranges + (row << 3)) * stride;
    const count = load<i32>(ranges + (row << 3), 4);
    const rowWeights = weights + ((row * taps) << 2);
    // What is written beyond the end of a row is overwritten by the next one.
    for (let at = 0; at < bytes; at += 16) {
      let a = i32x4.splat(roundWeights);
      let b = a;
      let c = a;
      let d = a;
      for (let tap = 0; tap < count; tap++) {
        const weight = v128.load32_splat(rowWeights + (tap << 2));
        const values = v128.load(line + at + tap * stride);
        const low = i16x8.extend_low_i8x16_u(values);
        const high = i16x8.extend_high_i8x16_u(values);
        a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), weight));
        b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), weight));
        c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), weight));
        d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), weight));
      }
      const results = narrow(
        i32x4.shr_s(a, weightBits),
        i32x4.shr_s(b, weightBits),
        i32x4.shr_s(c, weightBits),
        i32x4.shr_s(d, weightBits),
      );
      v128.store(target + row * bytes + at, results);
    }
  }
}

/** One pixel's channels, summed over its four neighbours from `first` on: weights of two columns as a pair, of each row alone. */
function blended(first: usize, stride: i32, columns: v128, upper: v128, lower: v128): v128 {
  const above = i32x4.mul(i32x4.dot_i16x8_s(pairs(first), columns), upper);
  const below = i32x4.mul(i32x4.dot_i16x8_s(pairs(first + stride), columns), lower);
  return i32x4.shr_u(i32x4.add(i32x4.add(i32x4.splat(one >> 1), above), below), coordinateBits);
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

/** Four pixels at coordinates within the image, whose last pixel is at `maxX` and `maxY`: four bytes of red, four of green, four of blue. */
function sampleFour(source: usize, stride: i32, maxX: i32, maxY: i32, x: v128, y: v128): v128 {
  const half = i32x4.splat(one >> 1);
  const left = i32x4.min_s(i32x4.max_s(i32x4.sub(x, half), i32x4.splat(0)), i32x4.splat(maxX));
  const top = i32x4.min_s(i32x4.max_s(i32x4.sub(y, half), i32x4.splat(0)), i32x4.splat(maxY));
  const fractions = i32x4.splat(255);
  const whole = i32x4.splat(256);
  const right = v128.and(i32x4.shr_s(left, 8), fractions);
  const lower = v128.and(i32x4.shr_s(top, 8), fractions);
  const upper = i32x4.sub(whole, lower);
  const columns = v128.or(i32x4.shl(right, 16), i32x4.sub(whole, right));
  const places = i32x4.add(
    i32x4.mul(i32x4.shr_s(top, coordinateBits), i32x4.splat(stride)),
    i32x4.mul(i32x4.shr_s(left, coordinateBits), i32x4.splat(3)),
  );
  // Beyond the last column and row the weights are 0, and whatever lies there may be read.
  const pixels = narrow(
    blended(source + i32x4.extract_lane(places, 0), stride, first(columns), first(upper), first(lower)),
    blended(source + i32x4.extract_lane(places, 1), stride, second(columns), second(upper), second(lower)),
    blended(source + i32x4.extract_lane(places, 2), stride, third(columns), third(upper), third(lower)),
    blended(source + i32x4.extract_lane(places, 3), stride, fourth(columns), fourth(upper), fourth(lower)),
  );
  return i8x16.shuffle(pixels, pixels, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/**
 * Samples a square of `size` x `size` pixels bilinearly into planes, which are black before. `starts` has x and y of each
 * row's first pixel in the image, and the next one lies a step further. What lies outside the image stays black.
 */
export function warp(
  source: usize,
  width: i32,
  height: i32,
  target: usize,
  size: i32,
  starts: usize,
  stepX: i32,
  stepY: i32,
): void {
  const stride = width * 3;
  const maxX = (width - 1) << coordinateBits;
  const maxY = (height - 1) << coordinateBits;
  const limitX = width << coordinateBits;
  const limitY = height << coordinateBits;
  const plane = size * size;
  const steps = i32x4(0, 1, 2, 3);
  const stepsX = i32x4.mul(steps, i32x4.splat(stepX));
  const stepsY = i32x4.mul(steps, i32x4.splat(stepY));
  for (let row = 0; row < size; row++) {
    let x = load<i32>(starts + (row << 3));
    let y = load<i32>(starts + (row << 3), 4);
    let place = target + row * size;
    const end = place + size;
    while (place < end && !(<u32>x < <u32>limitX && <u32>y < <u32>limitY)) {
      place++;
      x += stepX;
      y += stepY;
    }
    // A line enters an image once and leaves it once: where the fourth is inside, those between are.
    while (place + 4 <= end && <u32>(x + 3 * stepX) < <u32>limitX && <u32>(y + 3 * stepY) < <u32>limitY) {
      const pixels = sampleFour(
        source,
        stride,
        maxX,
        maxY,
        i32x4.add(i32x4.splat(x), stepsX),
        i32x4.add(i32x4.splat(y), stepsY),
      );
      v128.store32_lane(place, pixels, 0);
      v128.store32_lane(place + plane, pixels, 1);
      v128.store32_lane(place + 2 * plane, pixels, 2);
      place += 4;
      x += 4 * stepX;
      y += 4 * stepY;
    }
    while (place < end && <u32>x < <u32>limitX && <u32>y < <u32>limitY) {
      const pixels = sampleFour(source, stride, maxX, maxY, i32x4.splat(x), i32x4.splat(y));
      v128.store8_lane(place, pixels, 0);
      v128.store8_lane(place + plane, pixels, 4);
      v128.store8_lane(place + 2 * plane, pixels, 8);
      place++;
      x += stepX;
      y += stepY;
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
