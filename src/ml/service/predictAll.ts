import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cancelled, messageOf } from '../../protocol/errors.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import type { ImagePrediction } from '../../protocol/prediction.ts';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { canCalibrateInt8, tooFewToCalibrate } from '../inference/calibrateInt8.ts';
import type { Classifier } from '../inference/classifier.ts';
import { findImages } from '../inference/findImages.ts';
import { predictImages } from '../inference/predictImages.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { pictureOf } from '../data/picture.ts';
import { rareProgress } from './rareProgress.ts';

type PredictRequest = Extract<ServiceRequestBody, { type: 'predict' }>;

/**
 * Classifies images and folders of images: an answer an image, in the order of `fivecrop predict`, with a thumbnail.
 * Throws as `findImages` and `loadClassifier` do, and a cancellation.
 */
export async function predictAll(
  request: PredictRequest,
  classifiers: ClassifierPool,
  context: RequestContext,
): Promise<void> {
  const images = await findImages(request.images, (message) =>
    context.answer({ type: 'log', level: 'warning', message }),
  );
  context.answer({ type: 'images', images });
  const { source, engine, device } = request;
  const examples = request.precision === 'int8' ? await calibrationSet(images, context) : undefined;
  const wish = { source, engine, device, ...(examples ? { calibrateOn: examples } : {}) };
  await classifiers.use(wish, context, async (classifier) => {
    if (context.signal.aborted) throw cancelled();
    const wholeImages = seesWholeImage(classifier.preprocessing.fit);
    context.answer({ type: 'classifier', wholeImages, classes: [...classifier.labels] });
    await answerAll(classifier, images, request, context);
  });
}

/** The images to classify, or, where they are few, all that lie beside the first; undefined where those are few too. */
async function calibrationSet(
  images: readonly string[],
  { answer }: RequestContext,
): Promise<readonly string[] | undefined> {
  if (canCalibrateInt8(images)) return images;
  const beside = await imagesBeside(images[0] ?? '');
  if (canCalibrateInt8(beside)) return beside;
  answer({ type: 'log', level: 'warning', message: tooFewToCalibrate });
  return undefined;
}

async function imagesBeside(image: string): Promise<string[]> {
  const folder = dirname(image);
  const names = await readdir(folder).catch(() => []);
  return names.filter(isImageFile).sort().map((name) => join(folder, name)); // prettier-ignore
}

async function answerAll(
  classifier: Classifier,
  images: readonly string[],
  { crops, topK, thumbnail }: PredictRequest,
  { signal, answer }: RequestContext,
): Promise<void> {
  const onProgress = rareProgress('Classifying', answer);
  onProgress(0, images.length);
  // Thumbnails are drawn while the network works on; one after the other, so that the answers keep their order.
  let answered = Promise.resolve();
  let done = 0;
  try {
    for await (const prediction of predictImages(classifier, images, { cropCount: crops, topK, signal })) {
      answered = answered.then(async () => {
        if ('error' in prediction) answer({ type: 'failed', failed: prediction });
        else answer({ type: 'prediction', prediction, thumbnail: await thumbnailOf(prediction, thumbnail, answer) });
        onProgress(++done, images.length);
      });
    }
  } finally {
    // What was classified before a cancellation is answered too.
    await answered;
  }
}

/** Empty if none is asked for, or where there can be none, which is no reason to keep the prediction back. */
async function thumbnailOf(
  { image }: ImagePrediction,
  size: number,
  answer: RequestContext['answer'],
): Promise<string> {
  if (size === 0) return '';
  try {
    return (await pictureOf(image, size)).picture;
  } catch (error) {
    answer({ type: 'log', level: 'warning', message: messageOf(error) });
    return '';
  }
}
