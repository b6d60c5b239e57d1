import { applyJitter } from './colourJitter.ts';
import { blend, mapLevels } from './levels.ts';
import type { Affine } from './warp.ts';

/** Operations of TrivialAugment and RandAugment, under torchvision's names. */
export const operationNames = [
  'Identity',
  'ShearX',
  'ShearY',
  'TranslateX',
  'TranslateY',
  'Rotate',
  'Brightness',
  'Color',
  'Contrast',
  'Sharpness',
  'Posterize',
  'Solarize',
  'AutoContrast',
  'Equalize',
] as const;
export type OperationName = (typeof operationNames)[number];

/**
 * Changes a square image, planes `[3, size, size]`, in place as torchvision's operation of this name does to a Pillow image.
 * `magnitude` is torchvision.transforms.v2's: a slope, whole pixels, degrees, a factor less 1, bits, a share of 255.
 */
export function applyOperation(planes: Uint8Array, size: number, name: OperationName, magnitude: number): void {
  operations[name](planes, magnitude, size);
}

type Operation = (planes: Uint8Array, magnitude: number, size: number) => void;

const operations: Readonly<Record<OperationName, Operation>> = {
  Identity: () => undefined,
  ShearX: (planes, slope, size) => sample(planes, size, { ...unmoved, b: slope }),
  ShearY: (planes, slope, size) => sample(planes, size, { ...unmoved, d: slope }),
  TranslateX: (planes, pixels, size) => sample(planes, size, { ...unmoved, c: -Math.trunc(pixels) }),
  TranslateY: (planes, pixels, size) => sample(planes, size, { ...unmoved, f: -Math.trunc(pixels) }),
  Rotate: (planes, degrees, size) => sample(planes, size, rotation(degrees, size)),
  Brightness: (planes, change) => applyJitter(planes, [['brightness', 1 + change]]),
  Color: (planes, change) => applyJitter(planes, [['saturation', 1 + change]]),
  Contrast: (planes, change) => applyJitter(planes, [['contrast', 1 + change]]),
  Sharpness: (planes, change, size) => sharpen(planes, size, 1 + change),
  Posterize: (planes, bits) => {
    const mask = 0xff & ~(2 ** (8 - Math.trunc(bits)) - 1);
    mapLevels(planes, (level) => level & mask);
  },
  Solarize: (planes, share) => mapLevels(planes, (level) => (level < 255 * share ? level : 255 - level)),
  AutoContrast: (planes) => eachPlane(planes, stretchLevels),
  Equalize: (planes) => eachPlane(planes, equalizeLevels),
};

const unmoved: Affine = { a: 1, b: 0, c: 0, d: 0, e: 1, f: 0 };

/** Pillow's `rotate`: counter-clockwise about the centre. */
function rotation(degrees: number, size: number): Affine {
  const angle = (-degrees * Math.PI) / 180;
  const rounded = (value: number) => Math.round(value * 1e15) / 1e15;
  const [cos, sin] = [rounded(Math.cos(angle)), rounded(Math.sin(angle))];
  const centre = size / 2;
  return { a: cos, b: sin, c: centre - (cos + sin) * centre, d: -sin, e: cos, f: centre - (cos - sin) * centre };
}

/** Pillow's `transform` to the nearest pixel, in its 16 bits after the point; black outside. */
function sample(planes: Uint8Array, size: number, { a, b, c, d, e, f }: Affine): void {
  const fixed = (value: number) => Math.floor(value * 65536 + 0.5);
  const before = planes.slice();
  const plane = size * size;
  planes.fill(0);
  let [startX, startY] = [fixed(c + a * 0.5 + b * 0.5), fixed(f + d * 0.5 + e * 0.5)];
  for (let row = 0; row < size; row++) {
    let [x, y] = [startX, startY];
    for (let column = 0; column < size; column++) {
      const [left, top] = [x >> 16, y >> 16];
      if (left >= 0 && left < size && top >= 0 && top < size) {
        const [to, from] = [row * size + column, top * size + left];
        for (let at = 0; at < planes.length; at += plane) planes[to + at] = before[from + at] ?? 0;
      }
      x += fixed(a);
      y += fixed(d);
    }
    startX += fixed(b);
    startY += fixed(e);
  }
}

/** Pillow's `ImageEnhance.Sharpness`: a blend with the image smoothed by 3 x 3 pixels, whose border stays as it is. */
function sharpen(planes: Uint8Array, size: number, factor: number): void {
  eachPlane(planes, (plane) => {
    const before = plane.slice();
    for (let row = 1; row < size - 1; row++) {
      for (let at = row * size + 1; at < (row + 1) * size - 1; at++) {
        let sum = 4 * (before[at] ?? 0);
        for (const line of [at - size, at, at + size]) {
          sum += (before[line - 1] ?? 0) + (before[line] ?? 0) + (before[line + 1] ?? 0);
        }
        const smooth = Math.floor(sum / 13 + 0.5);
        plane[at] = blend(before[at] ?? 0, smooth, factor);
      }
    }
  });
}

/** Pillow's `ImageOps.autocontrast` of one plane: its levels from 0 to 255. */
function stretchLevels(plane: Uint8Array): void {
  const [low, high] = [plane.reduce((a, b) => Math.min(a, b), 255), plane.reduce((a, b) => Math.max(a, b), 0)];
  if (high <= low) return;
  const scale = 255 / (high - low);
  mapLevels(plane, (level) => Math.min(255, Math.max(0, Math.trunc(level * scale - low * scale))));
}

/** Pillow's `ImageOps.equalize` of one plane: about as many pixels of each level. */
function equalizeLevels(plane: Uint8Array): void {
  const counts = new Float64Array(256);
  for (const level of plane) counts[level] = (counts[level] ?? 0) + 1;
  const present = counts.filter((count) => count > 0);
  const step = Math.floor((plane.length - (present.at(-1) ?? 0)) / 255);
  if (present.length <= 1 || step === 0) return;
  let passed = Math.floor(step / 2);
  const table = counts.map((count) => {
    const level = Math.floor(passed / step);
    passed += count;
    return level;
  });
  mapLevels(plane, (level) => Math.min(255, table[level] ?? 0));
}

function eachPlane(planes: Uint8Array, change: (plane: Uint8Array) => void): void {
  const length = planes.length / 3;
  for (let at = 0; at < planes.length; at += length) change(planes.subarray(at, at + length));
}
