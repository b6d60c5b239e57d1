import { existsSync } from 'node:fs';
import { temperatureFor } from '../../protocol/confidenceCalibration.ts';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { type Crop, cropCountFor } from '../data/fiveCrops.ts';
import type { FailedPrediction } from '../../protocol/prediction.ts';
import { type CropPart, lumaOf, measureQuality } from '../data/imageQuality.ts';
import { firstMissing } from '../data/lostImage.ts';
import { type KeptProbabilities, mostKeptProbabilities } from '../../protocol/keptProbabilities.ts';
import type { ScoredImage } from '../../protocol/classCurves.ts';
import { calibrated } from './calibrated.ts';
import type { Classifier } from './classifier.ts';
import { classifyImages, type ClassifiedImage } from './predictImages.ts';
import { meanProbabilities } from './ranking.ts';

/** An image whose class is known. */
export interface LabelledImage {
  readonly file: string;
  /** Index of its class, as the classifier's labels have it. */
  readonly classIndex: number;
}

export interface EvaluateOptions {
  readonly cropCount: 1 | 5;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /** Hears of every image that is left out because it does not decode. */
  readonly onLeftOut?: (image: string, reason: string) => void;
  /** Hears of the probabilities of every image that is tested, and those of each crop at temperature 1. */
  readonly onScored?: (image: ScoredImage, crops: readonly Float32Array[]) => void;
}

/** What an evaluation finds; its caller knows what was evaluated and when. */
export type EvaluationFigures = Pick<
  Evaluation,
  | 'cropCount'
  | 'fit'
  | 'images'
  | 'leftOut'
  | 'leftOutImages'
  | 'loss'
  | 'accuracy'
  | 'top5'
  | 'brier'
  | 'temperature'
  | 'perClass'
  | 'confusion'
  | 'results'
  | 'probabilities'
>;

/**
 * Tests a classifier on images whose classes are known: exact figures over the images, by the centre crop or by the mean
 * of five. Throws a user error where no image decodes or one is no longer there, and `CancelledError` after an abort.
 */
export async function evaluate(
  classifier: Classifier,
  images: readonly LabelledImage[],
  options: EvaluateOptions,
): Promise<EvaluationFigures> {
  const positions = new Map(classifier.labels.map(({ index }, position) => [index, position]));
  const rows = scoreRows(classifier.labels, images.length);
  const counter = createCounter(classifier, (image, crops) => {
    rows.add(image);
    options.onScored?.(image, crops);
  });
  const files = images.map(({ file }) => file);
  const { cropCount, signal, onProgress, onLeftOut } = options;
  let done = 0;
  for await (const classified of classifyImages(classifier, files, { cropCount, ...(signal ? { signal } : {}) })) {
    const actual = positions.get(images[done]?.classIndex ?? -1) ?? -1;
    if ('error' in classified) {
      // The others alone would be another test than the one asked for.
      if (!existsSync(classified.image)) throw vanished(classified.image, done, images.length);
      onLeftOut?.(classified.image, classified.error);
    }
    counter.add(classified, actual);
    done++;
    onProgress?.(done, images.length);
  }
  const { fit = 'crop' } = classifier.preprocessing;
  const crops = cropCountFor(fit, cropCount);
  const temperature = temperatureFor(classifier.calibration, crops);
  const figures = { cropCount: crops, fit, ...counter.figures(), ...(temperature ? { temperature } : {}) };
  const probabilities = rows.kept();
  return { ...figures, ...(probabilities ? { probabilities } : {}) };
}

/** Collects the probabilities of images, unless so many images have more than are kept. */
function scoreRows(labels: readonly ClassLabel[], images: number) {
  const width = labels.length;
  const all = width * images > mostKeptProbabilities ? undefined : new Float32Array(width * images);
  let rows = 0;
  return {
    add: ({ probabilities }: ScoredImage): void => all?.set(probabilities, rows++ * width),
    kept: (): KeptProbabilities | undefined => {
      if (!all) return undefined;
      const float32 = Buffer.from(all.buffer, 0, 4 * rows * width).toString('base64');
      return { classes: labels.map(({ index }) => index), float32 };
    },
  };
}

function vanished(image: string, done: number, total: number): Error {
  return userError(
    `${firstMissing(image)} is no longer there after ${done} of ${total} images, so there is no result: put it back and test again.`,
  );
}

interface Counter {
  add(classified: ClassifiedImage, actual: number): void;
  figures(): Omit<EvaluationFigures, 'cropCount' | 'fit'>;
}

function createCounter(classifier: Classifier, onScored: NonNullable<EvaluateOptions['onScored']>): Counter {
  const { labels } = classifier;
  const confusion = new Map<number, number>();
  const results: Evaluation['results'] = [];
  const leftOutImages: { image: string; reason: string }[] = [];
  let loss = 0;
  let amongFive = 0;
  let squares = 0;
  return {
    add: (classified, actual) => {
      if ('error' in classified) {
        leftOutImages.push({ image: classified.image, reason: classified.error });
        return;
      }
      // What is likeliest is asked at temperature 1: no rounding can change it then.
      const plain = meanProbabilities(classified.rows);
      const [predicted, rank] = [rankedFirst(plain), rankOf(plain, actual)];
      const mean = Float64Array.from(calibrated(plain, classifier, classified.rows.length));
      loss -= Math.log(Math.max(mean[actual] ?? 0, Number.MIN_VALUE));
      amongFive += Number(rank < 5);
      squares += squaredError(mean, actual);
      onScored({ actual: labels[actual]?.index ?? -1, probabilities: mean }, classified.rows);
      const cell = actual * labels.length + predicted;
      confusion.set(cell, (confusion.get(cell) ?? 0) + 1);
      results.push({
        image: classified.image,
        actual: labels[actual]?.index ?? -1,
        predicted: labels[predicted]?.index ?? -1,
        probability: mean[predicted] ?? 0,
        actualProbability: mean[actual] ?? 0,
        ...lookOf(classified, classifier.preprocessing.crop),
      });
    },
    figures: () => {
      const images = results.length;
      if (images === 0)
        throw userError('None of the images can be decoded, so there is nothing to test on; check the data.');
      const right = results.filter(({ actual, predicted }) => actual === predicted).length;
      const cells = [...confusion].sort(([a], [b]) => a - b);
      return {
        images,
        leftOut: leftOutImages.length,
        leftOutImages,
        loss: loss / images,
        accuracy: right / images,
        top5: amongFive / images,
        brier: squares / images,
        perClass: perClass(labels, results),
        confusion: cells.map(([cell, count]) => [
          labels[Math.floor(cell / labels.length)]?.index ?? -1,
          labels[cell % labels.length]?.index ?? -1,
          count,
        ]),
        results,
      };
    },
  };
}

/** What slices of a test tell images apart by, rounded, since there is one for each image in the file. */
function lookOf({ width, height, crops: [centre] }: Exclude<ClassifiedImage, FailedPrediction>, size: number) {
  if (!centre) return {};
  const { sharpness, brightness } = measureQuality(lumaOf(centre.pixels, size, partWithImage(centre, size)));
  const rounded = (value: number) => Math.round(value * 100) / 100;
  return { look: { width, height, sharpness: rounded(sharpness), brightness: rounded(brightness) } };
}

/** Where the image is in the crop's pixels: with the fit `pad` there are bars beside it. */
function partWithImage({ frame, shown }: Pick<Crop, 'frame' | 'shown'>, size: number): CropPart {
  const along = (from: number, length: number, shownFrom: number, shownLength: number): [number, number] => {
    const place = (at: number) => Math.round(((at - shownFrom) / shownLength) * size);
    const first = Math.max(0, place(from));
    return [first, Math.min(size, place(from + length)) - first];
  };
  const [left, width] = along(frame.left, frame.width, shown.left, shown.width);
  const [top, height] = along(frame.top, frame.height, shown.top, shown.height);
  return { left, top, width, height };
}

/** The image's part of the Brier score (Brier 1950): over all classes, the squared distance from 1 for its own and 0 for the others. */
function squaredError(values: Float64Array, own: number): number {
  return values.reduce((sum, value, index) => sum + (value - Number(index === own)) ** 2, 0);
}

function rankedFirst(values: Float64Array): number {
  return values.reduce((best, value, index) => (value > (values[best] ?? 0) ? index : best), 0);
}

/** How many classes are ahead of `own`; of equals the one with the lower index is. */
function rankOf(values: Float64Array, own: number): number {
  const value = values[own] ?? 0;
  let ahead = 0;
  values.forEach((other, index) => (ahead += Number(other > value || (other === value && index < own))));
  return ahead;
}

/** Classes that have no image and were never predicted are left out: there is nothing to say of them. */
function perClass(labels: readonly ClassLabel[], results: Evaluation['results']): Evaluation['perClass'] {
  const counts = new Map<number, { images: number; right: number }>();
  for (const { actual, predicted } of results) {
    const count = counts.get(actual) ?? { images: 0, right: 0 };
    counts.set(actual, { images: count.images + 1, right: count.right + Number(actual === predicted) });
  }
  const predictions = new Set(results.map(({ predicted }) => predicted));
  return labels.flatMap((label) => {
    const count = counts.get(label.index);
    if (count) return [{ ...label, images: count.images, accuracy: count.right / count.images }];
    return predictions.has(label.index) ? [{ ...label, images: 0, accuracy: 0 }] : [];
  });
}
