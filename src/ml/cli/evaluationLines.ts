import type { Evaluation } from '../../protocol/evaluation.ts';
import { formatClasses } from './table.ts';

/**
 * What `fivecrop test` prints: the classes that are recognised worst come first, which is what one looks for. `kept` is
 * the file that has them all.
 */
export function evaluationLines(evaluation: Evaluation, kept: string): string[] {
  const { accuracy, top5, loss, images, leftOut, cropCount, perClass } = evaluation;
  const rows = [...perClass]
    .sort((a, b) => a.accuracy - b.accuracy || a.index - b.index)
    .map((result) => [result.folder, result.name, String(result.images), result.accuracy.toFixed(3)]);
  const without = leftOut > 0 ? `, ${leftOut} left out` : '';
  return [
    ...formatClasses(['class', 'name', 'images', 'accuracy'], rows, kept),
    '',
    `${images} images${without}, ${cropCount === 1 ? 'the centre crop' : 'five crops'}`,
    `Testing Accuracy: ${accuracy.toFixed(3)} - Top 5: ${top5.toFixed(3)} - Loss: ${loss.toFixed(3)}`,
  ];
}
