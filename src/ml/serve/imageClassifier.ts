import type { FailedPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import { cropCountFor } from '../data/fiveCrops.ts';
import type { DecodePool } from '../data/decodePool.ts';
import { undecodable } from '../data/whyUndecodable.ts';
import type { Classifier } from '../inference/classifier.ts';
import { cropOptionsFor, imagesPerBatch, predictionOf, probabilityRows } from '../inference/predictImages.ts';
import { createBatchingQueue } from './batchingQueue.ts';
import { busy } from './refusedRequest.ts';

/** The bytes of an uploaded image, which have their memory for themselves, and what it is called. */
export interface UploadedImage {
  readonly name: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

export interface ClassifyOptions {
  /** Classes of each ranking. */
  readonly topK: number;
  /** Aborted if nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Classifies the images of many requests side by side. */
export interface ImageClassifier {
  /**
   * What `predict` says of each image, in their order; the memory of the images is taken away. Throws a refusal at once if
   * too many images wait, `CancelledError` after an abort, and what the network throws.
   */
  classify(
    images: readonly UploadedImage[],
    options: ClassifyOptions,
  ): Promise<readonly (ImagePrediction | FailedPrediction)[]>;
  /** Images that wait or are being classified. */
  waiting(): number;
}

export interface ImageClassifierOptions {
  /** Decodes in threads of its own, so that the server goes on answering. */
  readonly pool: DecodePool;
  readonly cropCount: 1 | 5;
  /** Most images that wait or are being classified. */
  readonly waitingImages: number;
  readonly onBatch?: (images: number) => void;
}

/** Milliseconds that a batch waits for images that are being decoded. */
const waitMilliseconds = 5;

/** The classifier and the pool stay the caller’s. */
export function createImageClassifier(classifier: Classifier, options: ImageClassifierOptions): ImageClassifier {
  const { pool, cropCount, waitingImages, onBatch } = options;
  const crops = cropCountFor(classifier.preprocessing.fit, cropCount);
  const cropOptions = cropOptionsFor(classifier, { cropCount });
  const reject = classifier.calibration?.rejection?.threshold[crops] !== undefined;
  let [waiting, decoding] = [0, 0];
  const queue = createBatchingQueue({
    compute: (pixels) => probabilityRows(classifier, pixels),
    mostImages: imagesPerBatch,
    waitMilliseconds,
    isMoreComing: () => decoding > 0,
    ...(onBatch ? { onBatch } : {}),
  });

  async function classifyOne(
    image: UploadedImage,
    { topK, signal }: ClassifyOptions,
  ): Promise<ImagePrediction | FailedPrediction> {
    const { name } = image;
    decoding++;
    const cropped = await pool
      .crop({ ...image, ...cropOptions })
      // A thread that ends, for lack of memory say, is a matter of the image that it decoded.
      .catch((error: unknown) => ({ image: name, error: undecodable(error).message }))
      .finally(() => decoding--);
    if ('error' in cropped) return cropped;
    const rows = await queue.classify(
      cropped.crops.map(({ pixels }) => pixels),
      signal,
    );
    return predictionOf({ ...cropped, rows }, classifier, { topK, reject });
  }

  return {
    classify: async (images, wish) => {
      if (waiting + images.length > waitingImages) throw busy();
      waiting += images.length;
      return Promise.all(images.map((image) => classifyOne(image, wish).finally(() => waiting--)));
    },
    waiting: () => waiting,
  };
}
