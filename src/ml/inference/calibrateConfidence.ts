import { calibration as calibrationOf } from '../../protocol/calibration.ts';
import type { ConfidenceCalibration } from '../../protocol/confidenceCalibration.ts';
import { userError } from '../../protocol/errors.ts';
import { rejectThreshold, type Acceptance } from '../../protocol/rejection.ts';
import { readCheckpointMetadata } from '../../runs/checkpointHeader.ts';
import { cropCountFor } from '../data/fiveCrops.ts';
import { atTemperature, fitTemperature, type FittedImage } from '../evaluation/temperature.ts';
import { writeCalibration } from '../weights/checkpoint.ts';
import { withoutCalibration } from './calibrated.ts';
import type { Classifier } from './classifier.ts';
import { evaluate, type EvaluateOptions } from './evaluate.ts';
import { imagesToTest } from './imagesToTest.ts';

export interface CalibrationRequest {
  readonly checkpoint: string;
  /** The folder whose validation images it is fitted on; that of the run without it. */
  readonly data?: string | undefined;
  /**
   * Share of wrong answers among those that are accepted, for which a threshold is chosen too; without it that of the
   * threshold which the checkpoint keeps, if it keeps one.
   */
  readonly targetError?: number | undefined;
}

/** How well the confidence says how often predictions are right. */
export interface CalibrationFigures {
  /** Mean negative log-likelihood of the images' own classes. */
  readonly loss: number;
  /** Expected calibration error, from 0 to 1. */
  readonly expectedError: number;
}

/** What was fitted to predictions by so many crops. */
export interface FittedConfidence {
  readonly crops: 1 | 5;
  readonly temperature: number;
  readonly before: CalibrationFigures;
  readonly after: CalibrationFigures;
  /** What the threshold does to the validation images; undefined if none was asked for, or none reaches the target. */
  readonly accepted: Acceptance | undefined;
}

export interface CalibratedCheckpoint {
  readonly calibration: ConfidenceCalibration;
  readonly fitted: readonly FittedConfidence[];
}

type Options = Pick<EvaluateOptions, 'signal' | 'onProgress' | 'onLeftOut'> & {
  readonly onNote: (note: string) => void;
};

/** Takes the temperature and the threshold out of a checkpoint. Throws as `writeCalibration` does. */
export async function removeCalibration(checkpoint: string): Promise<void> {
  await writeCalibration(checkpoint, await readCheckpointMetadata(checkpoint), undefined);
}

/**
 * Fits a temperature to the confidence of a checkpoint on validation images, of predictions by one crop and by five, and
 * where `targetError` is given a threshold below which the answer is "none of these"; writes them into the checkpoint's
 * header. `load` opens the classifier of it, which the caller disposes. Throws as `imagesToTest`, `evaluate` and
 * `writeCalibration` do, and a user error where no temperature fits.
 */
export async function calibrateConfidence(
  load: () => Promise<Classifier>,
  { checkpoint, data, targetError: asked }: CalibrationRequest,
  { onNote, ...evaluating }: Options,
): Promise<CalibratedCheckpoint> {
  const metadata = await readCheckpointMetadata(checkpoint);
  const targetError = asked ?? metadata.calibration?.rejection?.targetError;
  const classifier = withoutCalibration(await load());
  const { labels, preprocessing } = classifier;
  const wanted = { checkpoint, data: data ?? metadata.training.data, split: 'valid', classes: labels } as const;
  const { signal } = evaluating;
  const { samples, selection } = await imagesToTest({ ...wanted, ...(signal ? { signal } : {}) });
  selection.notes.forEach(onNote);
  const positions = new Map(labels.map(({ index }, position) => [index, position]));
  const [one, five]: [FittedImage[], FittedImage[]] = [[], []];
  await evaluate(classifier, samples, {
    ...evaluating,
    cropCount: 5,
    onScored: ({ actual, probabilities }, [centre]) => {
      const own = positions.get(actual) ?? -1;
      one.push({ actual: own, probabilities: Float32Array.from(centre ?? []) });
      five.push({ actual: own, probabilities });
    },
  });
  const fitted = [
    fit(1, one, targetError),
    ...(cropCountFor(preprocessing.fit, 5) === 5 ? [fit(5, five, targetError)] : []),
  ];
  const calibration = kept(fitted, one.length, targetError);
  await writeCalibration(checkpoint, metadata, calibration);
  return { calibration, fitted };
}

function fit(crops: 1 | 5, images: readonly FittedImage[], targetError: number | undefined): FittedConfidence {
  const temperature = fitTemperature(images);
  if (temperature === undefined) {
    throw userError(
      `No temperature fits the ${images.length} validation images: all of them are predicted right, or no better than by chance. Calibrate on more images, or train longer.`,
    );
  }
  const scaled = images.map(({ actual, probabilities }) => ({
    actual,
    probabilities: atTemperature(probabilities, temperature),
  }));
  return {
    crops,
    temperature,
    before: figuresOf(images),
    after: figuresOf(scaled),
    accepted: targetError === undefined ? undefined : rejectThreshold(scaled.map(predictedOf), targetError),
  };
}

function figuresOf(images: readonly FittedImage[]): CalibrationFigures {
  const sum = images.reduce((all, { actual, probabilities }) => {
    return all - Math.log(Math.max(probabilities[actual] ?? 0, Number.MIN_VALUE));
  }, 0);
  return { loss: sum / images.length, expectedError: calibrationOf(images.map(predictedOf)).expectedError };
}

function predictedOf({ actual, probabilities }: FittedImage) {
  let predicted = 0;
  for (let index = 1; index < probabilities.length; index++) {
    if ((probabilities[index] ?? 0) > (probabilities[predicted] ?? 0)) predicted = index;
  }
  return { actual, predicted, probability: probabilities[predicted] ?? 0 };
}

function kept(
  fitted: readonly FittedConfidence[],
  images: number,
  targetError: number | undefined,
): ConfidenceCalibration {
  const of = (crops: 1 | 5) => fitted.find((each) => each.crops === crops);
  const [one, five] = [of(1), of(5)];
  if (!one) throw new Error('no temperature of one crop was fitted');
  return {
    temperature: { 1: one.temperature, ...(five ? { 5: five.temperature } : {}) },
    images,
    ...(targetError === undefined
      ? {}
      : {
          rejection: {
            targetError,
            threshold: {
              ...(one.accepted ? { 1: one.accepted.threshold } : {}),
              ...(five?.accepted ? { 5: five.accepted.threshold } : {}),
            },
          },
        }),
  };
}
