/*
 * The inner loops of the data path in AssemblyScript, compiled to WebAssembly with 128-bit vectors. Pointers are byte
 * offsets into the module's memory, which `pixelKernels.ts` lays out. Vectors reach beyond the end of an image by up to
 * sixteen bytes, which may be read and overwritten there.
 */

/** Weights of a resize have so many bits after the point, as in Pillow. */
const weightBits: i32 = 22;
const roundWeights: i32 = 1 << (weightBits - 1);

/** Coordinates of a warp have so many bits after the point, of which the first eight weigh the neighbours. */
const coordinateBits: i32 = 16;
const one: i32 = 1 << coordinateBits;

/** The next four bytes as four numbers of 32 bits. */
function widen(pointer: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(pointer)));
}

/** Sixteen numbers of 32 bits, cut off at 0 and 255, as sixteen bytes. */
function narrow(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/**
 * Resizes the rows of an RGB image: column x of `width` is the sum of `taps` columns of `source` from `first[x]` on,
 * times the weights from `weights[taps * x]` on.
 */
export function resizeWidth(
  source: usize,
  sourceWidth: i32,
  rows: i32,
  target: usize,
  width: i32,
  first: usize,
  weights: usize,
  taps: i32,
): void {
  for (let row = 0; row < rows; row++) {
    const line = source + row * sourceWidth * 3;
    let weight = weights;
    for (let column = 0; column < width; column++) {
      let pixel = line + load<i32>(first + (column << 2)) * 3;
      let sum = i32x4.splat(roundWeights);
      for (let tap = 0; tap < taps; tap++) {
        sum = i32x4.add(sum, i32x4.mul(widen(pixel), v128.load32_splat(weight)));
        pixel += 3;
        weight += 4;
      }
      sum = i32x4.shr_s(sum, weightBits);
      // The fourth byte is overwritten by the next pixel.
      v128.store32_lane(target, narrow(sum, sum, sum, sum), 0);
      target += 3;
    }
  }
}

/** Resizes the columns of an image whose rows have `stride` bytes, as `resizeWidth` does the rows. */
export function resizeHeight(
  source: usize,
  stride: i32,
  target: usize,
  height: i32,
  first: usize,
  weights: usize,
  taps: i32,
): void {
  for (let row = 0; row < height; row++) {
    const line = source + load<i32>(first + (row << 2)) * stride;
    const rowWeights = weights + ((row * taps) << 2);
    // What is written beyond the end of a row is overwritten by the next one.
    for (let at = 0; at < stride; at += 16) {
      let a = i32x4.splat(roundWeights);
      let b = a;
      let c = a;
      let d = a;
      for (let tap = 0; tap < taps; tap++) {
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
        const lowerRight = weightX * weightY;
        const lowerLeft = (weightY << 8) - lowerRight;
        const upperRight = (weightX << 8) - lowerRight;
        const upperLeft = one - lowerLeft - upperRight - lowerRight;
        const first = source + (top >> coordinateBits) * stride + (left >> coordinateBits) * 3;
        const right = left < maxX ? 3 : 0;
        const down: i32 = top < maxY ? stride : 0;
        const below = first + down;
        let sum = i32x4.add(round, i32x4.mul(widen(first), i32x4.splat(upperLeft)));
        sum = i32x4.add(sum, i32x4.mul(widen(first + right), i32x4.splat(upperRight)));
        sum = i32x4.add(sum, i32x4.mul(widen(below), i32x4.splat(lowerLeft)));
        sum = i32x4.add(sum, i32x4.mul(widen(below + right), i32x4.splat(lowerRight)));
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
