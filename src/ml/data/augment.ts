import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { Random } from '../graph/random.ts';
import { centreOffset, cropPlanes } from './centreCrop.ts';
import { applyJitter, drawJitter } from './colourJitter.ts';
import type { RgbImage } from './rgbImage.ts';
import { rotatedCentreCrop, stretchedBox, warp } from './warp.ts';

export type Augmentation = TrainingConfig['augment'];

/** Largest rotation of the report's transform, in degrees to either side. */
export const maxRotation = 30;

/**
 * Makes a network's input of an image whose short side has been resized: planes `[3, size, size]`, 8 bits, R, G, B.
 * - `none`: the centre crop.
 * - `report`: rotation within ±30° about the centre with black outside, centre crop, horizontal flip. The report turns the
 *   full image and resizes then; turning the resized one is the same map, sampled bilinearly instead of by the nearest
 *   pixel.
 * - `crop`: torchvision's `RandomResizedCrop` and flip, then `ColorJitter(0.2, 0.2, 0.2)`. Small crops are stretched from
 *   the resized image and are softer than if they were cut from the original.
 *
 * The same state of `random` gives the same pixels. They are written into `out` and returned.
 */
export function augment(
  image: RgbImage,
  kind: Augmentation,
  size: number,
  random: Random,
  out = new Uint8Array(3 * size * size),
): Uint8Array {
  const offset = centreOffset(image.width, image.height, size);
  if (kind === 'none') return cropPlanes(image, offset, size, out);
  if (kind === 'report') {
    const degrees = (random.next() * 2 - 1) * maxRotation;
    return warp(image, rotatedCentreCrop(image, size, offset, degrees, random.next() < 0.5), size, out);
  }
  const box = randomBox(image, random);
  const planes = warp(image, stretchedBox(box, size, random.next() < 0.5), size, out);
  applyJitter(planes, drawJitter(random));
  return planes;
}

const areaRange = [0.08, 1] as const;
const ratioRange = [3 / 4, 4 / 3] as const;

/** torchvision's `RandomResizedCrop.get_params`: ten tries at an area and a ratio, then the largest centred box. */
export function randomBox(image: Pick<RgbImage, 'width' | 'height'>, random: Random) {
  const { width, height } = image;
  const between = ([low, high]: readonly [number, number]) => low + (high - low) * random.next();
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * between(areaRange);
    const ratio = Math.exp(between([Math.log(ratioRange[0]), Math.log(ratioRange[1])]));
    const box = { width: Math.round(Math.sqrt(area * ratio)), height: Math.round(Math.sqrt(area / ratio)) };
    if (box.width > 0 && box.height > 0 && box.width <= width && box.height <= height) {
      return { ...box, left: random.integer(width - box.width + 1), top: random.integer(height - box.height + 1) };
    }
  }
  const ratio = Math.min(Math.max(width / height, ratioRange[0]), ratioRange[1]);
  const fitted = {
    width: Math.min(width, Math.round(height * ratio)),
    height: Math.min(height, Math.round(width / ratio)),
  };
  return { ...fitted, left: (width - fitted.width) >> 1, top: (height - fitted.height) >> 1 };
}
