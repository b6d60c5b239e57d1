import { temperatureFor } from '../../protocol/confidenceCalibration.ts';
import { atTemperature } from '../evaluation/temperature.ts';
import type { Classifier } from './classifier.ts';

/**
 * The probabilities of a prediction by `crops` crops at the temperature that was fitted to such predictions: those of one
 * crop, or the mean of five, which is scaled as a whole, so that its order stays too. As they are where none was fitted.
 */
export function calibrated<Probabilities extends Float32Array | Float64Array>(
  probabilities: Probabilities,
  { calibration }: Pick<Classifier, 'calibration'>,
  crops: number,
): Probabilities | Float64Array {
  const temperature = temperatureFor(calibration, crops);
  return temperature === undefined ? probabilities : atTemperature(probabilities, temperature.value);
}

/** The same classifier at temperature 1: where it computes in 8 bits, its logits are not those that the temperature fits. */
export function withoutCalibration(classifier: Classifier): Classifier {
  return { ...classifier, calibration: undefined };
}
