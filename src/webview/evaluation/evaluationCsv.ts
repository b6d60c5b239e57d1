import { csv, type CsvValue } from '../../protocol/csv.ts';
import { fileName } from '../../charts/format.ts';
import { classNames } from './confusions.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

/** What was tested on what, in columns of every row, for whoever has only the file. */
const tested = ['checkpoint', 'data', 'split', 'crops'] as const;

function testedIn({ data, split, cropCount }: ShownEvaluation, label: string): readonly CsvValue[] {
  return [label, fileName(data), split, cropCount];
}

/** One row per image: its class, the predicted one, and the probabilities of both. `label` is the checkpoint's name. */
export function imagesCsv(evaluation: ShownEvaluation, label: string): string {
  const name = classNames(evaluation);
  const columns = ['image', 'actual', 'actualIndex', 'predicted', 'predictedIndex', 'probability', 'actualProbability'];
  const test = testedIn(evaluation, label);
  const rows = evaluation.results.map(({ image, actual, predicted, probability, actualProbability }) => [
    ...test,
    image,
    name(actual),
    actual,
    name(predicted),
    predicted,
    probability,
    actualProbability,
  ]);
  return csv([[...tested, ...columns], ...rows]);
}

/** One row per class; a ratio without a denominator is left empty. `label` is the checkpoint's name. */
export function classesCsv(evaluation: ShownEvaluation, label: string): string {
  const columns = ['class', 'folder', 'index', 'images', 'predicted', 'precision', 'recall', 'f1'];
  const test = testedIn(evaluation, label);
  const rows = evaluation.perClass.map(({ name, folder, index, images, predicted, precision, recall, f1 }) => [
    ...test,
    ...[name, folder, index, images, predicted],
    ...[predicted === 0 ? undefined : precision, images === 0 ? undefined : recall, f1],
  ]);
  return csv([[...tested, ...columns], ...rows]);
}
