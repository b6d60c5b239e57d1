import type { Random } from '../graph/random.ts';
import { applyOperation, operationNames, type OperationName } from './imageOperations.ts';
import { roundHalfToEven } from './roundHalfToEven.ts';

/** Magnitudes are torchvision's 31 steps from none to the strongest. */
export const magnitudeSteps = 31;

/** The strongest magnitude of each operation, and whether it may be turned around; none for those without a magnitude. */
interface Strength {
  readonly least?: number;
  readonly most: number;
  readonly signed?: boolean;
  /** Bits that are kept: whole numbers. */
  readonly bits?: boolean;
}
type Strengths = Readonly<Partial<Record<OperationName, Strength>>>;

/** torchvision's `TrivialAugmentWide`, of any size. */
const wide: Strengths = {
  ...signed(0.99, ['ShearX', 'ShearY', 'Brightness', 'Color', 'Contrast', 'Sharpness']),
  ...signed(32, ['TranslateX', 'TranslateY']),
  ...signed(135, ['Rotate']),
  Posterize: { least: 8, most: 2, bits: true },
  Solarize: { least: 1, most: 0 },
};

/** torchvision's `RandAugment`, for images of `size` pixels. */
function randStrengths(size: number): Strengths {
  return {
    ...signed(0.3, ['ShearX', 'ShearY']),
    ...signed((150 / 331) * size, ['TranslateX', 'TranslateY']),
    ...signed(30, ['Rotate']),
    ...signed(0.9, ['Brightness', 'Color', 'Contrast', 'Sharpness']),
    Posterize: { least: 8, most: 4, bits: true },
    Solarize: { least: 1, most: 0 },
  };
}

function signed(most: number, names: readonly OperationName[]): Strengths {
  return Object.fromEntries(names.map((name) => [name, { most, signed: true }]));
}

/** The magnitude of an operation at one of the steps, before it may be turned around; 0 where it has none. */
export function magnitudeAt(kind: 'trivial' | 'rand', name: OperationName, step: number, size: number): number {
  const strength = (kind === 'trivial' ? wide : randStrengths(size))[name];
  if (!strength) return 0;
  const { least = 0, most, bits = false } = strength;
  const share = step / (magnitudeSteps - 1);
  if (bits) return least - roundHalfToEven(share * (least - most));
  return least + (most - least) * share;
}

/** One operation at random, at a random strength, to planes `[3, size, size]` in place (Müller and Hutter 2021). */
export function trivialAugment(planes: Uint8Array, size: number, random: Random): void {
  const name = draw(random);
  const step = random.integer(magnitudeSteps);
  applyOperation(planes, size, name, turned('trivial', name, step, size, random));
}

/** `ops` operations at random, each at step `magnitude` of the strengths (Cubuk et al. 2020). */
export function randAugment(
  planes: Uint8Array,
  size: number,
  { ops, magnitude }: { readonly ops: number; readonly magnitude: number },
  random: Random,
): void {
  for (let count = 0; count < ops; count++) {
    const name = draw(random);
    applyOperation(planes, size, name, turned('rand', name, magnitude, size, random));
  }
}

function draw(random: Random): OperationName {
  return operationNames[random.integer(operationNames.length)] ?? 'Identity';
}

function turned(kind: 'trivial' | 'rand', name: OperationName, step: number, size: number, random: Random): number {
  const magnitude = magnitudeAt(kind, name, step, size);
  return wide[name]?.signed && random.next() < 0.5 ? -magnitude : magnitude;
}
