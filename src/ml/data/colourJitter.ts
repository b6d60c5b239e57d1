import { permutation } from '../graph/random.ts';
import type { Random } from '../graph/random.ts';
import { blend, mapLevels } from './levels.ts';

/** Largest change of brightness, contrast and saturation: each factor is uniform within 1 ± this. */
export const jitterStrength = 0.2;

const adjustments = ['brightness', 'contrast', 'saturation'] as const;
type Adjustment = readonly [name: (typeof adjustments)[number], factor: number];

/** Draws torchvision's `ColorJitter(0.2, 0.2, 0.2)`: a factor for each adjustment, and the order of the three. */
export function drawJitter(random: Random): readonly Adjustment[] {
  const drawn = adjustments.map((name): Adjustment => [name, 1 - jitterStrength + random.next() * 2 * jitterStrength]);
  const order = permutation(drawn.length, random);
  return drawn.map((adjustment, position) => drawn[order[position] ?? 0] ?? adjustment);
}

/**
 * Changes planes `[3, pixels]` in place as torchvision's functions on Pillow images do: each is a blend with black, with
 * the mean grey, or with the pixel's own grey, cut off at 0 and 255 and rounded down.
 */
export function applyJitter(planes: Uint8Array, jitter: readonly Adjustment[]): void {
  for (const [name, factor] of jitter) {
    if (name === 'saturation') saturate(planes, factor);
    else {
      const grey = name === 'brightness' ? 0 : meanGrey(planes);
      mapLevels(planes, (level) => blend(level, grey, factor));
    }
  }
}

function saturate(planes: Uint8Array, factor: number): void {
  const pixels = planes.length / 3;
  for (let index = 0; index < pixels; index++) {
    const grey = greyOf(planes[index] ?? 0, planes[index + pixels] ?? 0, planes[index + 2 * pixels] ?? 0);
    for (let at = index; at < planes.length; at += pixels) planes[at] = blend(planes[at] ?? 0, grey, factor);
  }
}

/** ITU-R 601 luma in Pillow's fixed point. */
function greyOf(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16;
}

function meanGrey(planes: Uint8Array): number {
  const pixels = planes.length / 3;
  let sum = 0;
  for (let index = 0; index < pixels; index++) {
    sum += greyOf(planes[index] ?? 0, planes[index + pixels] ?? 0, planes[index + 2 * pixels] ?? 0);
  }
  return Math.floor(sum / pixels + 0.5);
}
