import * as z from 'zod';

/** Most classes of a classifier. */
export const mostClasses = 100_000;
/** More images than anyone trains or tests on. */
export const mostImages = 10_000_000;
/** Longest side in pixels that images are resized or cropped to. */
export const mostPixels = 2048;
/** Most hidden layers of a head, and most units of one. */
export const mostHiddenLayers = 16;
export const mostHiddenUnits = 16_384;

/** A whole number in a range. */
export function whole(least: number, most: number) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z.number(error).int(error).min(least, error).max(most, error);
}

/** A whole number from 0 on, of which there is no most. */
export function count() {
  return whole(0, Number.MAX_SAFE_INTEGER);
}

/** A number in a range; JSON has none that are not finite. */
export function between(least: number, most: number) {
  const error = `expected a number from ${least} to ${most}`;
  return z.number(error).min(least, error).max(most, error);
}

/** A number above 0. */
export function positive(most: number) {
  const error = `expected a number above 0, at most ${most}`;
  return z.number(error).positive(error).max(most, error);
}

/** A text of a bounded length. */
export function text(most: number, least = 0) {
  const size = least > 0 ? `of ${least} to ${most} characters` : `of at most ${most} characters`;
  const error = `expected a text ${size}`;
  return z.string(error).min(least, error).max(most, error);
}

/** A path: no system takes a longer one. */
export function path() {
  return text(32_767, 1);
}

/** The name of a class folder, a run, a value in a file, or something else that is shown. */
export function name(least = 0) {
  return text(1000, least);
}
