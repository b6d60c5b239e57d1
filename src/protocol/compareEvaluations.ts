import { userError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluationMetrics, type MeanMetrics } from './evaluationMetrics.ts';
import { holmAdjusted, mcnemarP } from './mcnemar.ts';
import { pathWithin } from './slices.ts';

/** What one classifier does on the images that all were tested on. */
export interface ComparedFigures {
  readonly accuracy: number;
  /** 95 % interval, by Wilson's score. */
  readonly interval: { readonly low: number; readonly high: number };
  /** Mean over classes. */
  readonly macro: MeanMetrics;
  /** Mean negative logarithm of the probability of an image's own class. */
  readonly loss: number;
}

/** Two classifiers, by their places, and the images that they agree and disagree on. */
export interface ComparedPair {
  readonly first: number;
  readonly second: number;
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
  /** Of McNemar's exact test. */
  readonly p: number;
  /** The same adjusted for the number of pairs, by Holm's method. */
  readonly adjustedP: number;
}

/** An image that some get right and others wrong. `predicted` are folders, in the classifiers' order. */
export interface DisputedImage {
  readonly image: string;
  readonly actual: string;
  readonly predicted: readonly string[];
}

export interface Comparison {
  /** Images that every classifier was tested on. */
  readonly images: number;
  /** Images that only some were tested on, and that count for none. */
  readonly notCommon: number;
  readonly figures: readonly ComparedFigures[];
  readonly pairs: readonly ComparedPair[];
  readonly disputed: readonly DisputedImage[];
}

type Result = Evaluation['results'][number];

/**
 * Compares tests of several classifiers on the images that all of them were tested on: images are the same if their paths
 * within the data are. Throws a user error if the classes differ or no image is common.
 */
export function compareEvaluations(evaluations: readonly Evaluation[]): Comparison {
  const tests = evaluations.map(byPath);
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
  const pairs = evaluations.flatMap((_, first) =>
    evaluations.slice(first + 1).map((__, offset) => pairOf(rows, first, first + 1 + offset)),
  );
  const adjusted = holmAdjusted(pairs.map(({ p }) => p));
  return {
    images: rows.length,
    notCommon: everyPath.size - rows.length,
    figures: evaluations.map((evaluation, place) =>
      figuresOf(
        evaluation,
        rows.map((row) => row[place]),
      ),
    ),
    pairs: pairs.map((pair, place) => ({ ...pair, adjustedP: adjusted[place] ?? 1 })),
    disputed: rows
      .map((row, place) => ({
        image: paths[place] ?? '',
        actual: row[0]?.actual ?? '',
        predicted: row.map(({ predicted }) => predicted),
      }))
      .filter(({ actual, predicted }) => new Set(predicted.map((folder) => folder === actual)).size > 1),
  };
}

interface Answer {
  readonly result: Result;
  readonly actual: string;
  readonly predicted: string;
}

interface TestByPath {
  /** Results by the image's path within the data. */
  readonly results: ReadonlyMap<string, Result>;
  readonly folder: (index: number) => string;
}

function byPath({ data, results, perClass }: Evaluation): TestByPath {
  const folders = new Map(perClass.map(({ index, folder }) => [index, folder]));
  return {
    results: new Map(results.map((result) => [pathWithin(data, result.image), result])),
    folder: (index) => folders.get(index) ?? `class ${index}`,
  };
}

function answerOf(path: string, results: TestByPath['results'], folder: TestByPath['folder']): Answer {
  const result = results.get(path);
  if (!result) throw new Error(`no result of ${path}`);
  return { result, actual: folder(result.actual), predicted: folder(result.predicted) };
}

function pairOf(rows: readonly (readonly Answer[])[], first: number, second: number): Omit<ComparedPair, 'adjustedP'> {
  const right = (row: readonly Answer[], place: number) => row[place]?.actual === row[place]?.predicted;
  const counts = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
  for (const row of rows) {
    const [a, b] = [right(row, first), right(row, second)];
    counts[a ? (b ? 'both' : 'onlyFirst') : b ? 'onlySecond' : 'neither']++;
  }
  return { first, second, ...counts, p: mcnemarP(counts.onlyFirst, counts.onlySecond) };
}

function figuresOf({ perClass }: Evaluation, answers: readonly (Answer | undefined)[]): ComparedFigures {
  const results = answers.flatMap((answer) => (answer ? [answer.result] : []));
  const right = results.filter(({ actual, predicted }) => actual === predicted).length;
  const confusion = results.map(({ actual, predicted }): [number, number, number] => [actual, predicted, 1]);
  const { accuracyInterval, macro } = evaluationMetrics({ perClass, confusion });
  const loss = results.reduce(
    (sum, { actualProbability }) => sum - Math.log(Math.max(actualProbability, Number.MIN_VALUE)),
    0,
  );
  return { accuracy: right / results.length, interval: accuracyInterval, macro, loss: loss / results.length };
}
