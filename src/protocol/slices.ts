import type { Evaluation } from './evaluation.ts';
import { wilson } from './evaluationMetrics.ts';

type ImageResult = Evaluation['results'][number];

/** Images of a test that have something in common, and how many of them are predicted right. */
export interface Slice {
  readonly name: string;
  readonly results: readonly ImageResult[];
  readonly accuracy: number;
  /** 95 % interval of the accuracy, by Wilson's score. */
  readonly interval: { readonly low: number; readonly high: number };
}

/** What a test measures of each image, by which images can be told apart. */
export const measures = ['size', 'brightness', 'sharpness'] as const;
export type Measure = (typeof measures)[number];

/** Parts that numbers are cut into. */
const parts = 4;
/** A column of numbers that has no more values than this has a slice for each. */
const fewValues = 8;

/** The measure of an image: its short side in pixels, or what `look` says; undefined in results of earlier versions. */
export function measureOf({ look }: ImageResult, measure: Measure): number | undefined {
  if (!look) return undefined;
  return measure === 'size' ? Math.min(look.width, look.height) : look[measure];
}

/**
 * Four slices of about as many images each, from the least value to the greatest, named after the values in them. Images
 * of the same value stay together, so that there may be fewer. Images without a value are in none.
 */
export function slicesByNumber(
  results: readonly ImageResult[],
  valueOf: (result: ImageResult) => number | undefined,
): Slice[] {
  const valued = results.flatMap((result) => {
    const value = valueOf(result);
    return value === undefined ? [] : [{ result, value }];
  });
  valued.sort((a, b) => a.value - b.value);
  const slices = new Map<number, typeof valued>();
  let part = 0;
  valued.forEach((each, place) => {
    if (each.value !== valued[place - 1]?.value) part = Math.floor((place * parts) / valued.length);
    const own = slices.get(part);
    if (own) own.push(each);
    else slices.set(part, [each]);
  });
  return [...slices.values()].map((own) => {
    const [from = 0, to = 0] = [own[0]?.value, own.at(-1)?.value];
    const name = from === to ? shown(from) : `${shown(from)} to ${shown(to)}`;
    return sliceOf(name, own.map(({ result }) => result)); // prettier-ignore
  });
}

/** A slice for each text, the one of the most images first. */
export function slicesByText(results: readonly ImageResult[], textOf: (result: ImageResult) => string): Slice[] {
  const slices = new Map<string, ImageResult[]>();
  for (const result of results) {
    const text = textOf(result);
    const own = slices.get(text);
    if (own) own.push(result);
    else slices.set(text, [result]);
  }
  return [...slices]
    .map(([name, own]) => sliceOf(name, own))
    .sort((a, b) => b.results.length - a.results.length || (a.name < b.name ? -1 : 1));
}

/** Two slices: images whose path within the data has the pattern in it, in which `*` stands for any text, and the others. */
export function slicesByPath({ data, results }: Pick<Evaluation, 'data' | 'results'>, pattern: string): Slice[] {
  // Several stars in a row mean the same as one, and would be tried in every combination.
  const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/gu, String.raw`\$&`).replaceAll(/\*+/gu, '.*');
  const expression = new RegExp(escaped, 'iu');
  return slicesByText(results, ({ image }) =>
    expression.test(pathWithin(data, image)) ? pattern : `not ${pattern}`,
  ).sort((a) => (a.name === pattern ? -1 : 1));
}

/** By a column's texts; where all are numbers and there are many of them, by these. Images without one are in none. */
export function slicesByColumn(
  results: readonly ImageResult[],
  textOf: (result: ImageResult) => string | undefined,
): Slice[] {
  const found = results.filter((result) => textOf(result) !== undefined);
  const texts = new Set(found.map((result) => textOf(result) ?? ''));
  const numeric = [...texts].every((text) => text.trim() !== '' && Number.isFinite(Number(text)));
  return numeric && texts.size > fewValues
    ? slicesByNumber(found, (result) => Number(textOf(result)))
    : slicesByText(found, (result) => textOf(result) ?? '');
}

/** An image's path below the data's folder, with slashes. */
export function pathWithin(data: string, image: string): string {
  return (image.startsWith(data) ? image.slice(data.length) : image).replaceAll('\\', '/').replace(/^\/+/u, '');
}

function sliceOf(name: string, results: readonly ImageResult[]): Slice {
  const right = results.filter(({ actual, predicted }) => actual === predicted).length;
  return { name, results, accuracy: right / results.length, interval: wilson(right, results.length) };
}

/** Four digits, and of large numbers, which may be names of something, all. */
function shown(value: number): string {
  return String(Math.abs(value) >= 1000 ? value : Number(value.toPrecision(4)));
}
