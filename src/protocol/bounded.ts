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

/** Longest sentence that is kept; it may name several files, and the longest paths have thousands of characters. */
export const longestSentence = 100_000;

/** A sentence of our own: a reason, a finding, a line of a log. */
export function sentence() {
  return text(longestSentence);
}

/** Epochs done, with the fraction of the present one. */
export function epoch() {
  return between(0, 1_000_000_000);
}

/** A mean loss: what float32 holds. Rounding may take one of nothing a little below 0. */
export function loss() {
  return between(-1, 3.5e38);
}

/** A list of bounded length. */
export function list<Item extends z.ZodType>(item: Item, most: number) {
  const error = `expected a list of at most ${most}`;
  return z.array(item, error).max(most, error);
}

/** A path: no system takes a longer one. */
export function path() {
  return text(32_767, 1);
}

/** A line of a log, a message, a label, a path or an address, between processes of ours or in a run's file: may be empty. */
export function line() {
  return text(1_000_000);
}

/** A picture as a data URL. */
export function picture() {
  return text(100_000_000);
}

/** What a page has saved as a file: text or base64. */
export function content() {
  return text(400_000_000);
}

/** Most runs, networks or devices in a list. */
export const mostListed = 100_000;
/** Most events in a message; longer histories come in parts. */
export const mostEvents = 1_000_000;
/** Longest side in pixels of a picture that is asked for. */
export const mostPicturePixels = 16_384;

/** The name of a class folder, a run, a value in a file, or something else that is shown. */
export function name(least = 0) {
  return text(1000, least);
}
