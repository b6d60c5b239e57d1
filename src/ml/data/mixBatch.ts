import { createRandom, type Random } from '../graph/random.ts';
import type { Tensor } from '../graph/tensor.ts';

/** How the images of a batch are mixed with their neighbours: alpha of each way's Beta distribution, 0 for never. */
export interface Mixing {
  readonly mixup: number;
  readonly cutmix: number;
}

export interface SeededMixing extends Mixing {
  readonly seed: number;
}

/** What is done to one batch. `own` is the share of each image's own class in its target; the rest is its neighbour's. */
export type Mix =
  | { readonly kind: 'mixup'; readonly own: number }
  | { readonly kind: 'cutmix'; readonly own: number; readonly box: Box };

/** Pixels of a square from `left` and `top` up to, and without, `right` and `bottom`. */
interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Mixes the images `[N, 3, S, S]` of a run's batch `index` of an epoch in place, as seed, epoch and batch say, and returns
 * what was done; undefined if none are mixed.
 */
export function mixBatch(
  { shape, data }: Pick<Tensor, 'shape'> & { readonly data: Uint8Array },
  mixing: SeededMixing,
  { epoch, index }: { readonly epoch: number; readonly index: number },
): Mix | undefined {
  const [, , , size = 0] = shape;
  const mix = drawMix(mixing, size, createRandom(mixing.seed, 'mix', epoch, index));
  if (mix) mixImages(data, size, mix);
  return mix;
}

/**
 * Draws what torchvision.transforms.v2's MixUp (Zhang et al. 2018) or CutMix (Yun et al. 2019) does to a batch of squares of
 * `size` pixels; one of them at random, where both are wanted, as its reference training does. Undefined if none is.
 */
export function drawMix({ mixup, cutmix }: Mixing, size: number, random: Random): Mix | undefined {
  if (mixup === 0 && cutmix === 0) return undefined;
  const isMixup = cutmix === 0 || (mixup > 0 && random.next() < 0.5);
  if (isMixup) return { kind: 'mixup', own: beta(mixup, random) };
  const half = Math.floor(0.5 * Math.sqrt(1 - beta(cutmix, random)) * size);
  const [x, y] = [random.integer(size), random.integer(size)];
  const [left, right] = [Math.max(0, x - half), Math.min(size, x + half)];
  const [top, bottom] = [Math.max(0, y - half), Math.min(size, y + half)];
  const own = 1 - ((right - left) * (bottom - top)) / (size * size);
  return { kind: 'cutmix', own, box: { left, top, right, bottom } };
}

/**
 * Mixes each image of a batch `[N, 3, size, size]` with the one before it, the first with the last, in place. Levels are
 * rounded to whole ones.
 */
export function mixImages(pixels: Uint8Array, size: number, mix: Mix): void {
  const length = 3 * size * size;
  const count = pixels.length / length;
  if (count < 2) return;
  const image = (index: number) => pixels.subarray(index * length, (index + 1) * length);
  const last = image(count - 1).slice();
  for (let index = count - 1; index >= 0; index--) {
    const neighbour = index === 0 ? last : image(index - 1);
    if (mix.kind === 'mixup') blendInto(image(index), neighbour, mix.own);
    else pasteInto(image(index), neighbour, size, mix.box);
  }
}

function blendInto(image: Uint8Array, neighbour: Uint8Array, own: number): void {
  for (let at = 0; at < image.length; at++) {
    image[at] = Math.round(own * (image[at] ?? 0) + (1 - own) * (neighbour[at] ?? 0));
  }
}

function pasteInto(image: Uint8Array, neighbour: Uint8Array, size: number, { left, top, right, bottom }: Box): void {
  for (let plane = 0; plane < image.length; plane += size * size) {
    for (let row = top; row < bottom; row++) {
      const line = plane + row * size;
      image.set(neighbour.subarray(line + left, line + right), line + left);
    }
  }
}

/** A number of the Beta(alpha, alpha) distribution, as the share of one of two equal Gamma variables. */
export function beta(alpha: number, random: Random): number {
  const [x, y] = [logGamma(alpha, random), logGamma(alpha, random)];
  // For small alphas both are too small to be told from 0; their logarithms are not.
  return 1 / (1 + Math.exp(y - x));
}

/** The logarithm of a Gamma(shape) variable (Marsaglia and Tsang 2000); a shape below 1 by the one above it. */
function logGamma(shape: number, random: Random): number {
  if (shape < 1) return logGamma(shape + 1, random) + Math.log(1 - random.next()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = random.normal();
    const v = (1 + c * normal) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * normal * normal + d - d * v + d * Math.log(v)) {
      return Math.log(d * v);
    }
  }
}
