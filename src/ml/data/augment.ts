import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { Random } from '../graph/random.ts';
import { randAugment, trivialAugment } from './autoAugment.ts';
import { centreOffset, cropPlanes } from './centreCrop.ts';
import { applyJitter, drawJitter } from './colourJitter.ts';
import { drawErasedBox, eraseBox } from './randomErasing.ts';
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
 * - `trivial`, `rand`: torchvision's `RandomResizedCrop`, flip, and `TrivialAugmentWide` or `RandAugment`.
 *
 * Then comes what is asked for besides. The same state of `random` gives the same pixels. They are written into `out` and
 * returned.
 */
export function augment(
  image: RgbImage,
  kind: Augmentation,
  size: number,
  random: Random,
  out = new Uint8Array(3 * size * size),
  further: FurtherAugmentation = {},
): Uint8Array {
  const planes = cropFor(image, kind, size, random, out);
  const { verticalFlip = false, quarterTurns = false, randOps = 2, randMagnitude = 9, erase = 0, erased } = further;
  if (verticalFlip && random.next() < 0.5) flipRows(planes, size);
  if (quarterTurns) turn(planes, size, random.integer(4));
  if (kind === 'trivial') trivialAugment(planes, size, random);
  if (kind === 'rand') randAugment(planes, size, { ops: randOps, magnitude: randMagnitude }, random);
  if (erase > 0 && random.next() < erase) {
    const box = drawErasedBox(size, random);
    if (box) eraseBox(planes, size, box, erased ?? [0, 0, 0]);
  }
  return planes;
}

/** What is done to an image besides its crop. */
export interface FurtherAugmentation {
  /** Flips it upside down half of the time. */
  readonly verticalFlip?: boolean;
  /** Turns it by 0 to 3 quarters. */
  readonly quarterTurns?: boolean;
  /** Operations of `rand`, and their strength. */
  readonly randOps?: number;
  readonly randMagnitude?: number;
  /** Probability of random erasing, and the colour that takes the rectangle's place, R, G, B. */
  readonly erase?: number;
  readonly erased?: readonly number[];
}

function flipRows(planes: Uint8Array, size: number): void {
  const before = planes.slice();
  for (let row = 0; row < 3 * size; row++) {
    const from = row - (row % size) + size - 1 - (row % size);
    planes.set(before.subarray(from * size, (from + 1) * size), row * size);
  }
}

/** Quarter turns counter-clockwise, as Pillow's `rotate` by 90, 180 and 270 degrees. */
function turn(planes: Uint8Array, size: number, quarters: number): void {
  for (let done = 0; done < quarters; done++) {
    const before = planes.slice();
    for (let plane = 0; plane < planes.length; plane += size * size) {
      for (let row = 0; row < size; row++) {
        for (let column = 0; column < size; column++) {
          planes[plane + row * size + column] = before[plane + column * size + size - 1 - row] ?? 0;
        }
      }
    }
  }
}

/** The square that each kind cuts or stretches, flipped half of the time where that is part of it. */
function cropFor(
  image: RgbImage,
  kind: Augmentation,
  size: number,
  random: Random,
  out: Uint8Array<ArrayBuffer>,
): Uint8Array {
  const offset = centreOffset(image.width, image.height, size);
  if (kind === 'none') return cropPlanes(image, offset, size, out);
  if (kind === 'report') {
    const degrees = (random.next() * 2 - 1) * maxRotation;
    return warp(image, rotatedCentreCrop(image, size, offset, degrees, random.next() < 0.5), size, out);
  }
  const box = randomBox(image, random);
  const planes = warp(image, stretchedBox(box, size, random.next() < 0.5), size, out);
  if (kind === 'crop') applyJitter(planes, drawJitter(random));
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
