import { cancelled, messageOf } from '../../protocol/errors.ts';
import type { ImagePrediction } from '../../protocol/prediction.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import type { Classifier } from '../inference/classifier.ts';
import { findImages } from '../inference/findImages.ts';
import { predictImages } from '../inference/predictImages.ts';
import type { RequestContext } from './answerRequests.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { pictureOf } from './picture.ts';
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
  const images = await findImages(request.images);
  const { source, engine, device } = request;
  await classifiers.use({ source, engine, device }, context, async (classifier) => {
    if (context.signal.aborted) throw cancelled();
    await answerAll(classifier, images, request, context);
  });
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

/** Empty where there can be none, which is no reason to keep the prediction back. */
async function thumbnailOf(
  { image }: ImagePrediction,
  size: number,
  answer: RequestContext['answer'],
): Promise<string> {
  try {
    return (await pictureOf(image, size)).picture;
  } catch (error) {
    answer({ type: 'log', level: 'warning', message: messageOf(error) });
    return '';
  }
}
