import { calibration, type CalibrationBin } from '../../protocol/calibration.ts';
import type { UsedTemperature } from '../../protocol/confidenceCalibration.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { evaluationMetrics, type MeanMetrics } from '../../protocol/evaluationMetrics.ts';
import { plural } from '../../protocol/plural.ts';
import { seenOfImages } from '../../protocol/seenOfImages.ts';
import { formatClasses, formatTable } from './table.ts';

/**
 * What `fivecrop test` prints: the classes that are recognised worst come first, which is what one looks for. `kept` is
 * the file that has them all.
 */
export function evaluationLines(evaluation: Evaluation, kept: string): string[] {
  const { accuracy, top5, loss, brier, images, leftOut, temperature } = evaluation;
  const { perClass, macro, weighted, accuracyInterval } = evaluationMetrics(evaluation);
  const rows = [...perClass]
    .sort((a, b) => a.accuracy - b.accuracy || a.index - b.index)
    .map((row) => [
      row.folder,
      row.name,
      String(row.images),
      row.images === 0 ? '-' : row.accuracy.toFixed(3),
      row.predicted === 0 ? '-' : row.precision.toFixed(3),
      row.f1.toFixed(3),
    ]);
  const { expectedError, bins } = calibration(evaluation.results);
  const brierText = brier === undefined ? '' : `, Brier score ${brier.toFixed(3)}`;
  const without = leftOut > 0 ? `, ${leftOut} left out` : '';
  return [
    ...formatClasses(['class', 'name', 'images', 'accuracy', 'precision', 'F1'], rows, kept),
    ...reliabilityTable(bins),
    '',
    `${images} images${without}, ${seenOfImages([evaluation])}`,
    meanLine('Mean over classes', macro),
    meanLine('Weighted by images', weighted),
    ...(temperature ? [temperatureLine(temperature)] : []),
    `Calibration: expected error ${expectedError.toFixed(3)}, negative log-likelihood ${loss.toFixed(3)}${brierText}`,
    `95% interval of the accuracy: ${accuracyInterval.low.toFixed(3)} to ${accuracyInterval.high.toFixed(3)}`,
    `Testing Accuracy: ${accuracy.toFixed(3)} - Top 5: ${top5.toFixed(3)} - Loss: ${loss.toFixed(3)}`,
  ];
}

/** That probabilities are not those of the network alone. */
export function temperatureLine({ value, images }: UsedTemperature): string {
  return `Temperature ${value.toFixed(2)}, fitted on ${plural(images, 'validation image')}`;
}

/** How often predictions of each confidence are right: what they say and what comes true, side by side. */
function reliabilityTable(bins: readonly CalibrationBin[]): string[] {
  const rows = bins
    .filter(({ images }) => images > 0)
    .map(({ from, to, images, confidence, accuracy }) => [
      `${from.toFixed(2)} to ${to.toFixed(2)}`,
      String(images),
      confidence.toFixed(3),
      accuracy.toFixed(3),
    ]);
  return rows.length === 0 ? [] : ['', ...formatTable(['confidence', 'images', 'mean confidence', 'accuracy'], rows)];
}

function meanLine(what: string, { precision, recall, f1 }: MeanMetrics): string {
  return `${what}: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}, F1 ${f1.toFixed(3)}`;
}
