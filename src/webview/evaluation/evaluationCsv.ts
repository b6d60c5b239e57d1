import { csv } from '../../protocol/csv.ts';
import { classNames } from './confusions.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

/** One row per image: its class, the predicted one, and the probabilities of both. */
export function imagesCsv(evaluation: ShownEvaluation): string {
  const name = classNames(evaluation);
  const heading = ['image', 'actual', 'actualIndex', 'predicted', 'predictedIndex', 'probability', 'actualProbability'];
  const rows = evaluation.results.map(({ image, actual, predicted, probability, actualProbability }) => [
    image,
    name(actual),
    actual,
    name(predicted),
    predicted,
    probability,
    actualProbability,
  ]);
  return csv([heading, ...rows]);
}

/** One row per class; a ratio without a denominator is left empty. */
export function classesCsv({ perClass }: ShownEvaluation): string {
  const heading = ['class', 'folder', 'index', 'images', 'predicted', 'precision', 'recall', 'f1'];
  const rows = perClass.map(({ name, folder, index, images, predicted, precision, recall, f1 }) => [
    ...[name, folder, index, images, predicted],
    ...[predicted === 0 ? undefined : precision, images === 0 ? undefined : recall, f1],
  ]);
  return csv([heading, ...rows]);
}
