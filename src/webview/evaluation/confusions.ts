import * as l10n from '@vscode/l10n';
import type { Evaluation } from '../../protocol/evaluation.ts';

type Counted = Pick<Evaluation, 'perClass' | 'confusion'>;

export type ClassNames = (index: number) => string;
export type ImageResult = Evaluation['results'][number];
/** Images of one class that were predicted as another. */
export type Confusion = { actual: number; predicted: number; count: number; share: number };
export type ConfusionMatrix = {
  /** Indices of the classes, in order: those of rows and columns. */
  classes: number[];
  /** Number of images of a class predicted as another. */
  count: (actual: number, predicted: number) => number;
  /** That number as a share of the images of the class; 0 if it has none. */
  share: (actual: number, predicted: number) => number;
};

/** Names by class index. */
export function classNames({ perClass }: Pick<Evaluation, 'perClass'>): ClassNames {
  const names = new Map(perClass.map(({ index, name }) => [index, name]));
  return (index) => names.get(index) ?? l10n.t('class {0}', index);
}

/** The sparse counts as a matrix over the evaluation's classes. */
export function confusionMatrix({ perClass, confusion }: Counted): ConfusionMatrix {
  const cells = new Map(confusion.map(([actual, predicted, count]) => [`${actual} ${predicted}`, count]));
  const totals = new Map<number, number>();
  for (const [actual, , count] of confusion) totals.set(actual, (totals.get(actual) ?? 0) + count);
  const count = (actual: number, predicted: number) => cells.get(`${actual} ${predicted}`) ?? 0;
  return {
    classes: perClass.map(({ index }) => index),
    count,
    share: (actual, predicted) => count(actual, predicted) / (totals.get(actual) ?? Infinity),
  };
}

/**
 * The matrix of the `limit` classes that most images are confused in, as what they are or as what they are taken for; of
 * all where there are no more. In the order of the classes.
 */
export function mostConfused(matrix: ConfusionMatrix, { confusion }: Counted, limit: number): ConfusionMatrix {
  if (matrix.classes.length <= limit) return matrix;
  const confused = new Map<number, number>();
  for (const [actual, predicted, count] of confusion) {
    if (actual === predicted) continue;
    for (const index of [actual, predicted]) confused.set(index, (confused.get(index) ?? 0) + count);
  }
  const chosen = new Set(
    matrix.classes.toSorted((a, b) => (confused.get(b) ?? 0) - (confused.get(a) ?? 0)).slice(0, limit),
  );
  return { ...matrix, classes: matrix.classes.filter((index) => chosen.has(index)) };
}

/** Pairs of classes that were taken for each other most often, the most images first. */
export function topConfusions(evaluation: Counted, limit: number): Confusion[] {
  const { share } = confusionMatrix(evaluation);
  return evaluation.confusion
    .filter(([actual, predicted, count]) => actual !== predicted && count > 0)
    .map(([actual, predicted, count]) => ({ actual, predicted, count, share: share(actual, predicted) }))
    .toSorted((a, b) => b.count - a.count || b.share - a.share)
    .slice(0, limit);
}

/** The images behind a cell, the surest first. */
export function imagesBehind(
  { results }: Pick<Evaluation, 'results'>,
  actual: number,
  predicted: number,
): ImageResult[] {
  return results
    .filter((result) => result.actual === actual && result.predicted === predicted)
    .toSorted((a, b) => b.probability - a.probability);
}

/** Images that are, with at least this probability, of another class than their folder says; the surest first. */
export function suspectedMislabels({ results }: Pick<Evaluation, 'results'>, leastProbability: number): ImageResult[] {
  return results
    .filter(({ actual, predicted, probability }) => actual !== predicted && probability >= leastProbability)
    .toSorted((a, b) => b.probability - a.probability);
}
