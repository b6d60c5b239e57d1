import { resolve } from 'node:path';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import type { FailedPrediction, ImagePrediction } from '../../protocol/prediction.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { checkpointPath } from '../../runs/checkpointPath.ts';
import type { ImageBytes } from '../data/imageInput.ts';
import type { Classifier } from '../inference/classifier.ts';
import { type ClassifierSource, loadClassifier as loadOn } from '../inference/loadClassifier.ts';
import { predictImages } from '../inference/predictImages.ts';
import { choosePlacement, type Computing } from './choosePlacement.ts';

/** An image: the path of a file, the file’s bytes, or its bytes with a name. JPEG, PNG and whatever else `predict` reads. */
export type ImageLike = string | Uint8Array | ImageBytes;

/** What a classifier is made of: the folder of a run (its best checkpoint, else its last), a checkpoint, or a source. */
export type ClassifierLike = string | ClassifierSource;

export interface LoadOptions extends Computing {
  /** Ends a download of weights. */
  readonly signal?: AbortSignal;
}

export interface ClassifyOptions {
  /** 5 (the default) classifies by the mean of five crops, 1 by the center alone. A network that sees whole images has one. */
  readonly crops?: 1 | 5;
  /** Classes of each ranking; 5 without it. */
  readonly top?: number;
  /** Says of each image whether its confidence is below the threshold that `fivecrop calibrate` kept with the checkpoint. */
  readonly reject?: boolean;
  /** Breaks off with a `CancelledError`. */
  readonly signal?: AbortSignal;
}

/** A network that tells classes. Who loads one disposes it. */
export interface LoadedClassifier {
  /** What it is, for people: the file’s path, or the network’s name. */
  readonly title: string;
  readonly classes: readonly ClassLabel[];
  readonly preprocessing: Preprocessing;
  readonly runsOn: { readonly engine: string; readonly device: string };
  /**
   * The likeliest classes of one image, by each crop and by their mean. Throws a `UserError` for an image that cannot be
   * used, whose message says why.
   */
  classify(image: ImageLike, options?: ClassifyOptions): Promise<ImagePrediction>;
  /** The same of many images, in their order, as they come; one that cannot be used gives its `error`. */
  classifyAll(
    images: readonly ImageLike[],
    options?: ClassifyOptions,
  ): AsyncGenerator<ImagePrediction | FailedPrediction>;
  /** Frees the network’s memory. */
  dispose(): Promise<void>;
}

/**
 * Loads a classifier. Throws a `UserError` for files and weights that are missing, damaged, newer or no classifier, and for
 * an engine or device that is not there.
 */
export async function loadClassifier(from: ClassifierLike, options: LoadOptions = {}): Promise<LoadedClassifier> {
  const source = sourceOf(from);
  const { log, signal } = options;
  const placement = await choosePlacement(options);
  const classifier = await loadOn(source, placement, { ...(log ? { log } : {}), ...(signal ? { signal } : {}) });
  return loaded(classifier);
}

function loaded(classifier: Classifier): LoadedClassifier {
  const { title, labels, preprocessing, runsOn } = classifier;
  const classifyAll: LoadedClassifier['classifyAll'] = (images, { crops = 5, top = 5, reject = false, signal } = {}) =>
    predictImages(
      classifier,
      images.map((image) => (image instanceof Uint8Array ? { name: 'image', content: image } : image)),
      { cropCount: crops, topK: top, reject, ...(signal ? { signal } : {}) },
    );
  const classify: LoadedClassifier['classify'] = async (image, options) => {
    for await (const answer of classifyAll([image], options)) {
      if ('error' in answer) throw userError(`${answer.image}: ${answer.error}`);
      return answer;
    }
    throw new Error('an image has no answer');
  };
  return {
    ...{ title, classes: labels, preprocessing, runsOn },
    classify,
    classifyAll,
    dispose: () => classifier.dispose(),
  };
}

/** What a path means: a run or a checkpoint. */
export function sourceOf(from: ClassifierLike): ClassifierSource {
  return typeof from === 'string' ? { kind: 'checkpoint', file: checkpointPath(resolve(from)) } : from;
}
