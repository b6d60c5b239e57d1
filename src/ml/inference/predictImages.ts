import { temperatureFor } from '../../protocol/confidenceCalibration.ts';
import { cancelled, usageError, userError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { FailedPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import { type CroppedImage, type CropOptions, decodeCrops } from '../data/decodeCrops.ts';
import type { ImageInput } from '../data/imageInput.ts';
import { calibrated } from './calibrated.ts';
import type { Classifier, ImageBatch } from './classifier.ts';
import { meanProbabilities, rankClasses } from './ranking.ts';

export interface PredictOptions {
  readonly cropCount: 1 | 5;
  /** Classes of each ranking. */
  readonly topK: number;
  /** Short side to which an image is resized before it is cropped, in pixels; the classifier's own without it. Only with the fit `crop`. */
  readonly resize?: number;
  /** Says of each prediction whether its confidence is below the threshold that is kept with the checkpoint. */
  readonly reject?: boolean;
  readonly signal?: AbortSignal;
}

/** Images whose crops run through the network together. */
export const imagesPerBatch = 4;

/** An image cut into crops, with a row of probabilities a crop in the order of the classifier's labels. */
export type ClassifiedImage =
  (Exclude<CroppedImage, FailedPrediction> & { readonly rows: readonly Float32Array[] }) | FailedPrediction;

/**
 * Classifies images, in their order, as they come: for each crop the `topK` likeliest classes, and for the mean of the
 * crops' softmax, by whose order an image is classified. A file that does not decode gives its reason and the rest
 * goes on. Throws `CancelledError` after an abort, and a usage error where `resize` leaves no room for the crops.
 */
export async function* predictImages(
  classifier: Classifier,
  images: readonly ImageInput[],
  options: PredictOptions,
): AsyncGenerator<ImagePrediction | FailedPrediction> {
  for await (const classified of classifyImages(classifier, images, options)) {
    yield 'error' in classified ? classified : predictionOf(classified, classifier, options);
  }
}

/** What is told of an image whose crops were classified; see `predictImages`. */
export function predictionOf(
  { image, width, height, crops, rows }: Exclude<ClassifiedImage, FailedPrediction>,
  classifier: Classifier,
  { topK, reject = false }: Pick<PredictOptions, 'topK' | 'reject'>,
): ImagePrediction {
  const ranked = (probabilities: Float32Array | Float64Array, of: number) =>
    rankClasses(probabilities, classifier.labels, topK, calibrated(probabilities, classifier, of));
  const mean = ranked(meanProbabilities(rows), rows.length);
  const temperature = temperatureFor(classifier.calibration, rows.length);
  return {
    image,
    width,
    height,
    crops: crops.map(({ name, frame }, index) => ({
      crop: name,
      frame,
      top: ranked(rows[index] ?? new Float32Array(), 1),
    })),
    mean,
    ...(temperature ? { temperature } : {}),
    ...(reject ? { rejected: (mean[0]?.probability ?? 0) < rejectThresholdOf(classifier, rows.length) } : {}),
  };
}

/**
 * The confidence below which a prediction by so many crops is "none of these". Throws a user error where none is kept with
 * the checkpoint.
 */
export function rejectThresholdOf({ title, calibration }: Classifier, crops: number): number {
  const threshold = calibration?.rejection?.threshold[crops === 1 ? 1 : 5];
  if (threshold !== undefined) return threshold;
  throw userError(
    `${title} has no confidence threshold for ${crops === 1 ? 'one crop' : 'five crops'}: choose one with \`fivecrop calibrate --target-error\`.`,
  );
}

/** Every crop's probabilities, image by image in their order; see `predictImages`, which ranks them. */
export async function* classifyImages(
  classifier: Classifier,
  images: readonly ImageInput[],
  { signal, ...wanted }: Omit<PredictOptions, 'topK'>,
): AsyncGenerator<ClassifiedImage> {
  const options = cropOptionsFor(classifier, wanted);
  const load = (from: number) => {
    const batch = images.slice(from, from + imagesPerBatch).map((image) => decodeCrops(image, options));
    return Promise.all(batch);
  };
  let next = load(0);
  for (let from = 0; from < images.length; from += imagesPerBatch) {
    const batch = await next;
    if (signal?.aborted) throw cancelled();
    // The next images are decoded while the network computes.
    next = load(from + imagesPerBatch);
    yield* await classifyBatch(classifier, batch);
  }
}

/** What images are resized to: `given`, or the network's own. Throws a usage error for another one where whole images are seen. */
export function resizeFor({ resize, fit = 'crop' }: Pick<Preprocessing, 'resize' | 'fit'>, given?: number): number {
  if (given === undefined || fit === 'crop') return given ?? resize;
  throw usageError(`--resize cannot be used here, as the network sees whole images (fit ${fit}): leave it out.`);
}

/** How a classifier's images are cropped. Throws a usage error where `resize` leaves no room for the crops. */
export function cropOptionsFor(
  { preprocessing }: Pick<Classifier, 'preprocessing'>,
  { cropCount, resize: given }: Pick<PredictOptions, 'cropCount' | 'resize'>,
): CropOptions {
  const resize = resizeFor(preprocessing, given);
  const { crop: size, interpolation, fit } = preprocessing;
  if (resize < size) throw usageError(`--resize ${resize} is smaller than the network’s crop; take ${size} or more.`);
  return { resize, interpolation, fit, size, cropCount };
}

async function classifyBatch(classifier: Classifier, batch: readonly CroppedImage[]): Promise<ClassifiedImage[]> {
  const pixels = batch.flatMap((image) => ('error' in image ? [] : image.crops.map((crop) => crop.pixels)));
  const rows = pixels.length === 0 ? [] : await probabilityRows(classifier, pixels);
  let from = 0;
  return batch.map((image) => {
    if ('error' in image) return image;
    const own = rows.slice(from, from + image.crops.length);
    from += own.length;
    return { ...image, rows: own };
  });
}

/** Crops, planes `[3, crop, crop]` each, as the batch that a classifier of that crop is fed. */
export function batchOf(pixels: readonly Uint8Array[], crop: number): ImageBatch {
  const imageSize = 3 * crop * crop;
  const data = new Uint8Array(pixels.length * imageSize);
  pixels.forEach((planes, index) => data.set(planes, index * imageSize));
  return { dtype: 'uint8', shape: [pixels.length, 3, crop, crop], data };
}

/** A row of probabilities for each crop, in the order of the classifier's labels. */
export async function probabilityRows(classifier: Classifier, pixels: readonly Uint8Array[]): Promise<Float32Array[]> {
  const { data: values } = await classifier.probabilities(batchOf(pixels, classifier.preprocessing.crop));
  const classes = classifier.labels.length;
  return pixels.map((_, index) => values.subarray(index * classes, (index + 1) * classes));
}
