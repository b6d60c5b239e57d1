import type { Evaluation } from '../../protocol/evaluation.ts';
import { csv } from '../components/csv.ts';
import { classNames } from './confusions.ts';

/** A row an image: its class, the predicted one, and the probabilities of both. */
export function evaluationCsv(evaluation: Evaluation): string {
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
