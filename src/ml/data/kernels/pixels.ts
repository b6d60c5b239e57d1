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

/** The next two RGB pixels as pairs of 16-bit numbers: red and red, green and green, blue and blue. */
function pairs(pointer: usize): v128 {
  const bytes = v128.load64_zero(pointer);
  return i8x16.shuffle(bytes, i32x4.splat(0), 0, 16, 3, 16, 1, 16, 4, 16, 2, 16, 5, 16, 16, 16, 16, 16);
}

/**
 * Resizes the rows of an RGB image: column x of `width` is the sum of `ranges[2x + 1]` pairs of columns of `source` from
 * `ranges[2x]` on, times the weights from `weights[taps * x]` on. A pair's weights, which take 22 bits, come as four numbers
 * of 16 bits: the low 15 bits of both, then the high ones. So a product of pairs adds both, and the sums are exact.
 */
export function resizeWidth(
  source: usize,
  sourceWidth: i32,
  rows: i32,
  target: usize,
  width: i32,
  ranges: usize,
  weights: usize,
  taps: i32,
): void {
  const round = i32x4.splat(roundWeights);
  for (let row = 0; row < rows; row++) {
    const line = source + row * sourceWidth * 3;
    for (let column = 0; column < width; column++) {
      let pixel = line + load<i32>(ranges + (column << 3)) * 3;
      let weight = weights + ((column * taps) << 2);
      const end = weight + (load<i32>(ranges + (column << 3), 4) << 3);
      let low = round;
      let high = i32x4.splat(0);
      for (; weight < end; weight += 8) {
        const pixels = pairs(pixel);
        low = i32x4.add(low, i32x4.dot_i16x8_s(pixels, v128.load32_splat(weight)));
        high = i32x4.add(high, i32x4.dot_i16x8_s(pixels, v128.load32_splat(weight, 4)));
        pixel += 6;
      }
      const sum = i32x4.shr_s(i32x4.add(low, i32x4.shl(high, lowBits)), weightBits);
      // The fourth byte is overwritten by the next pixel.
      v128.store32_lane(target, narrow(sum, sum, sum, sum), 0);
      target += 3;
    }
  }
}

/**
 * Resizes the columns of an image whose rows have `stride` bytes: row y of `height` is the sum of `ranges[2y + 1]` rows of
 * `source` from `ranges[2y]` on, times the weights from `weights[taps * y]` on.
 */
export function resizeHeight(
  source: usize,
  stride: i32,
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
    for (let at = 0; at < stride; at += 16) {
      let a = i32x4.splat(roundWeights);
      let b = a;
      let c = a;
      let d = a;
      for (let tap = 0; tap < count; tap++) {
        const weight = v128.load32_splat(rowWeights + (tap << 2));
        const bytes = v128.load(line + at + tap * stride);
        const low = i16x8.extend_low_i8x16_u(bytes);
        const high = i16x8.extend_high_i8x16_u(bytes);
        a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), weight));
        b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), weight));
        c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), weight));
        d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), weight));
      }
      const values = narrow(
        i32x4.shr_s(a, weightBits),
        i32x4.shr_s(b, weightBits),
        i32x4.shr_s(c, weightBits),
        i32x4.shr_s(d, weightBits),
      );
      v128.store(target + row * stride + at, values);
    }
  }
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
  const limitX = width << coordinateBits;
  const limitY = height << coordinateBits;
  const maxX = (width - 1) << coordinateBits;
  const maxY = (height - 1) << coordinateBits;
  const half = one >> 1;
  const stride = width * 3;
  const plane = size * size;
  const round = i32x4.splat(one >> 1);
  for (let row = 0; row < size; row++) {
    let x = load<i32>(starts + (row << 3));
    let y = load<i32>(starts + (row << 3), 4);
    for (let column = 0; column < size; column++) {
      if (<u32>x < <u32>limitX && <u32>y < <u32>limitY) {
        const left = min(max(x - half, 0), maxX);
        const top = min(max(y - half, 0), maxY);
        const weightX = (left >> 8) & 255;
        const weightY = (top >> 8) & 255;
        // Beyond the last column and row the weights are 0, and whatever lies there may be read.
        const first = source + (top >> coordinateBits) * stride + (left >> coordinateBits) * 3;
        const weights = i32x4.splat((weightX << 16) | (256 - weightX));
        const upper = i32x4.dot_i16x8_s(pairs(first), weights);
        const lower = i32x4.dot_i16x8_s(pairs(first + stride), weights);
        const sum = i32x4.add(
          i32x4.add(round, i32x4.mul(upper, i32x4.splat(256 - weightY))),
          i32x4.mul(lower, i32x4.splat(weightY)),
        );
        store<u8>(target, i32x4.extract_lane(sum, 0) >> coordinateBits);
        store<u8>(target + plane, i32x4.extract_lane(sum, 1) >> coordinateBits);
        store<u8>(target + 2 * plane, i32x4.extract_lane(sum, 2) >> coordinateBits);
      }
      target++;
      x += stepX;
      y += stepY;
    }
  }
}
