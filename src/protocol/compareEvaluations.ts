import * as z from 'zod';
import { between, count, list, mostClasses, mostImages, mostListed, name, path, positive, whole } from './bounded.ts';
import { userError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluationMetrics } from './evaluationMetrics.ts';
import { holmAdjusted, mcnemarP } from './mcnemar.ts';
import { type NamedTest, resultsByPath } from './sameImages.ts';

const share = between(0, 1);
const place = whole(0, mostListed);

/** What one classifier does on the images that all were tested on. */
const comparedFiguresSchema = z.object({
  accuracy: share,
  /** 95 % interval, by Wilson's score. */
  interval: z.object({ low: share, high: share }),
  /** Means over classes. */
  macro: z.object({ precision: share, recall: share, f1: share }),
  /** Mean negative logarithm of the probability of an image's own class. */
  loss: z.number(),
  /** What its probabilities were computed with; absent if none was fitted. */
  temperature: positive(1000).optional(),
});

/** Two classifiers, by their places, and the images that they agree and disagree on. */
const comparedPairSchema = z.object({
  first: place,
  second: place,
  both: count(),
  onlyFirst: count(),
  onlySecond: count(),
  neither: count(),
  /** Of McNemar's exact test. */
  p: share,
  /** The same adjusted for the number of pairs, by Holm's method. */
  adjustedP: share,
});
export type ComparedPair = z.infer<typeof comparedPairSchema>;

/** A class that has images, and how many of these each classifier gets right. */
const comparedClassSchema = z.object({
  folder: name(),
  name: name(),
  images: count(),
  right: list(count(), mostListed),
});
export type ComparedClass = z.infer<typeof comparedClassSchema>;

/** An image that some get right and others wrong. `predicted` are folders, in the classifiers' order. */
const disputedImageSchema = z.object({
  /** Its path within the data, and that of its file. */
  image: path(),
  file: path(),
  actual: name(),
  predicted: list(name(), mostListed),
  /** Of what was predicted. */
  probability: list(between(0, 1.01), mostListed),
});

export const comparisonSchema = z.object({
  /** What the classifiers are called, in their order. */
  names: list(name(), mostListed),
  /** Images that every classifier was tested on. */
  images: count(),
  /** Images that only some were tested on, and that count for none. */
  notCommon: count(),
  figures: list(comparedFiguresSchema, mostListed),
  pairs: list(comparedPairSchema, mostListed),
  classes: list(comparedClassSchema, mostClasses),
  disputed: list(disputedImageSchema, mostImages),
});
export type Comparison = z.infer<typeof comparisonSchema>;
export type ComparedFigures = Comparison['figures'][number];

type Result = Evaluation['results'][number];

/**
 * Compares tests of several classifiers on the images that all of them were tested on: images are the same if their paths
 * within the data are, which `differentImages` looks at more closely. Throws a user error if the classes differ or no
 * image is common.
 */
export function compareEvaluations(named: readonly NamedTest[]): Comparison {
  const tests = named.map(({ evaluation }) => byPath(evaluation));
  const everyPath = new Set(tests.flatMap(({ results }) => [...results.keys()]));
  const paths = [...everyPath].filter((path) => tests.every(({ results }) => results.has(path)));
  const rows = paths.map((path) => tests.map(({ results, folder }) => answerOf(path, results, folder)));
  if (rows.length === 0) {
    throw userError('No image was tested with all of them: compare runs on the same data, or name it with --data.');
  }
  for (const row of rows) {
    if (new Set(row.map(({ actual }) => actual)).size > 1) {
      throw userError('Their classes differ, so they cannot be compared: choose runs on the same classes.');
    }
  }
  const pairs = named.flatMap((_, first) =>
    named.slice(first + 1).map((__, offset) => pairOf(rows, first, first + 1 + offset)),
  );
  const adjusted = holmAdjusted(pairs.map(({ p }) => p));
  return {
    names: named.map(({ name: each }) => each),
    images: rows.length,
    notCommon: everyPath.size - rows.length,
    figures: named.map(({ evaluation }, at) => figuresOf(evaluation, rows.map((row) => row[at]))), // prettier-ignore
    pairs: pairs.map((pair, at) => ({ ...pair, adjustedP: adjusted[at] ?? 1 })),
    classes: classesOf(named[0]?.evaluation.perClass ?? [], rows),
    disputed: rows
      .map((row, at) => ({
        image: paths[at] ?? '',
        file: row[0]?.result.image ?? '',
        actual: row[0]?.actual ?? '',
        predicted: row.map(({ predicted }) => predicted),
        probability: row.map(({ result }) => result.probability),
      }))
      .filter(({ actual, predicted }) => new Set(predicted.map((folder) => folder === actual)).size > 1),
  };
}

/** Whether losses say the same of all: a temperature changes the loss, so that one with and one without are two things. */
export function lossesCompare(figures: readonly Pick<ComparedFigures, 'temperature'>[]): boolean {
  return new Set(figures.map(({ temperature }) => temperature === undefined)).size < 2;
}

interface Answer {
  readonly result: Result;
  readonly actual: string;
  readonly predicted: string;
}

interface TestByPath {
  readonly results: ReadonlyMap<string, Result>;
  readonly folder: (index: number) => string;
}

function byPath(evaluation: Evaluation): TestByPath {
  const folders = new Map(evaluation.perClass.map(({ index, folder }) => [index, folder]));
  return { results: resultsByPath(evaluation), folder: (index) => folders.get(index) ?? `class ${index}` };
}

function answerOf(path: string, results: TestByPath['results'], folder: TestByPath['folder']): Answer {
  const result = results.get(path);
  if (!result) throw new Error(`no result of ${path}`);
  return { result, actual: folder(result.actual), predicted: folder(result.predicted) };
}

function isRight(answer: Answer | undefined): boolean {
  return answer?.actual === answer?.predicted;
}

function pairOf(rows: readonly (readonly Answer[])[], first: number, second: number): Omit<ComparedPair, 'adjustedP'> {
  const counts = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
  for (const row of rows) {
    const [a, b] = [isRight(row[first]), isRight(row[second])];
    counts[a ? (b ? 'both' : 'onlyFirst') : b ? 'onlySecond' : 'neither']++;
  }
  return { first, second, ...counts, p: mcnemarP(counts.onlyFirst, counts.onlySecond) };
}

function figuresOf({ perClass, temperature }: Evaluation, answers: readonly (Answer | undefined)[]): ComparedFigures {
  const results = answers.flatMap((answer) => (answer ? [answer.result] : []));
  const right = answers.filter(isRight).length;
  const confusion = results.map(({ actual, predicted }): [number, number, number] => [actual, predicted, 1]);
  const { accuracyInterval, macro } = evaluationMetrics({ perClass, confusion });
  const loss = results.reduce(
    (sum, { actualProbability }) => sum - Math.log(Math.max(actualProbability, Number.MIN_VALUE)),
    0,
  );
  return {
    accuracy: right / results.length,
    interval: accuracyInterval,
    macro,
    loss: loss / results.length,
    ...(temperature === undefined ? {} : { temperature: temperature.value }),
  };
}

/** In the order of the first classifier's classes. */
function classesOf(labels: Evaluation['perClass'], rows: readonly (readonly Answer[])[]): ComparedClass[] {
  const found = new Map<string, { images: number; right: number[] }>();
  for (const row of rows) {
    const folder = row[0]?.actual ?? '';
    const known = found.get(folder) ?? { images: 0, right: row.map(() => 0) };
    known.images++;
    row.forEach((answer, at) => (known.right[at] = (known.right[at] ?? 0) + Number(isRight(answer))));
    found.set(folder, known);
  }
  return labels.flatMap(({ folder, name: title }) => {
    const own = found.get(folder);
    return own ? [{ folder, name: title, ...own }] : [];
  });
}
