import type { RgbImage } from './rgbImage.ts';

/** For each output position: the two input positions, and the weight of the second in 256ths. */
function neighbours(from: number, to: number): { first: Int32Array; second: Int32Array; weight: Int32Array } {
  const [first, second, weight] = [new Int32Array(to), new Int32Array(to), new Int32Array(to)];
  for (let index = 0; index < to; index++) {
    const position = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1);
    first[index] = Math.floor(position);
    second[index] = Math.min(Math.floor(position) + 1, from - 1);
    weight[index] = Math.round((position - Math.floor(position)) * 256);
  }
  return { first, second, weight };
}

/**
 * Enlarges an image as Pillow's bilinear resize does, pixel centres at one half. libvips shifts by half a pixel of the
 * output when it enlarges, so only its reductions are used.
 */
export function enlarge(image: RgbImage, width: number, height: number): RgbImage {
  const out = new Uint8Array(width * height * 3);
  const columns = neighbours(image.width, width);
  const rows = neighbours(image.height, height);
  const at = (row: number, column: number, channel: number) =>
    image.data[(row * image.width + column) * 3 + channel] ?? 0;
  let target = 0;
  for (let y = 0; y < height; y++) {
    const [top, bottom, down] = [rows.first[y] ?? 0, rows.second[y] ?? 0, rows.weight[y] ?? 0];
    for (let x = 0; x < width; x++) {
      const [left, right, across] = [columns.first[x] ?? 0, columns.second[x] ?? 0, columns.weight[x] ?? 0];
      for (let channel = 0; channel < 3; channel++) {
        const upper = at(top, left, channel) * (256 - across) + at(top, right, channel) * across;
        const lower = at(bottom, left, channel) * (256 - across) + at(bottom, right, channel) * across;
        out[target++] = (upper * (256 - down) + lower * down + 32768) >> 16;
      }
    }
  }
  return { width, height, data: out };
}
