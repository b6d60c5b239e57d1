import type { RgbImage } from '../../../src/ml/data/rgbImage.ts';

/** The pattern of torchvision_transforms.py. */
export function drawnPattern(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at++) {
    const channel = at % 3;
    const x = Math.floor(at / 3) % width;
    const y = Math.floor(at / 3 / width);
    const wave = (x * (2 + channel) + y * (6 - 2 * channel) + channel * 85) % 510;
    data[at] = Math.min(255, wave, 510 - wave);
  }
  return { width, height, data };
}
