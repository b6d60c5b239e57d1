import { createHash } from 'node:crypto';
import type { ClassLabel } from '../../../protocol/checkpointMetadata.ts';
import { userError } from '../../../protocol/errors.ts';
import type { ResumeState } from '../../../protocol/resumeState.ts';
import { CancelledError } from '../../../protocol/errors.ts';
import type { TrainingEventOf } from '../../../protocol/trainingEvents.ts';
import { decodeImage } from '../../data/decodeImage.ts';
import { cropImage, type Crop } from '../../data/fiveCrops.ts';
import type { Batch, Loader } from '../../data/loader.ts';
import type { Sample } from '../../data/scanDataset.ts';
import type { Engine, Feeds, InferenceModel } from '../../engine/engine.ts';
import { createRandom, permutation } from '../../graph/random.ts';
import type { StateDict, Tensor } from '../../graph/tensor.ts';
import { meanProbabilities, rankClasses } from '../../inference/ranking.ts';
import { mapAhead } from './mapAhead.ts';
import { hearRequests } from '../run/control.ts';
import type { FrozenPart } from '../features/frozenPart.ts';
import { fitToMemory } from './fitToMemory.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { RunNetwork } from '../run/runNetwork.ts';

/** Memory for the outputs of the frozen part on the validation images; larger ones are computed anew every time. */
const keptFeaturesLimit = 512 * 1024 * 1024;
/** Classes in the ranking of a pinned image. */
const pinnedTopK = 5;

export type PinnedPrediction = TrainingEventOf<'pinned'>['predictions'][number];

export type MeasuredOn = NonNullable<ResumeState['measuredOn']>;

export interface Validation {
  readonly metrics: Metrics;
  readonly pinned: readonly PinnedPrediction[];
  /** Which images these figures are of. */
  readonly measuredOn: MeasuredOn;
  /** Whether what the frozen part made of the images is kept from here on, so that those after it take less time. */
  readonly preparing: boolean;
}

interface ValidatorOptions {
  readonly engine: Pick<Engine, 'compileInference'>;
  readonly device: string;
  readonly network: Pick<RunNetwork, 'validation' | 'preprocessing'>;
  readonly frozen: Pick<FrozenPart, 'computes' | 'feeds'>;
  /** Validation images, each once, in order. */
  readonly loader: Pick<Loader, 'samples' | 'epoch' | 'check'>;
  readonly labels: readonly ClassLabel[];
  /** Images whose five-crop prediction is wanted. */
  readonly pinned: readonly Sample[];
  readonly log: (message: string) => void;
}

interface KnownFeeds {
  readonly feeds: Feeds;
  readonly labels: Int32Array;
}

interface PinnedFeeds {
  readonly sample: Sample;
  readonly width: number;
  readonly height: number;
  readonly crops: readonly Crop[];
  readonly feeds: Feeds;
}

/**
 * Validates a state on the whole validation split, exactly, with running statistics and without dropout. What the
 * frozen part makes of the images is computed once and kept where it fits. Throws what `signal` was
 * aborted with, between two batches. Each validation is of the same images: those that decoded at the first one, which
 * says how many did not. Throws a user error where none does, and where one has vanished or changed since.
 */
export function createValidator(
  options: ValidatorOptions,
): (state: StateDict, signal: AbortSignal) => Promise<Validation> {
  const batches = validationBatches(options);
  let pinned: Promise<readonly PinnedFeeds[]> | undefined;
  return async (state, signal) => {
    const { engine, network, device, log } = options;
    const model = fitToMemory(await engine.compileInference(network.validation, state, device), log);
    try {
      const metrics = createMetrics();
      const prepared = batches.areKept();
      for await (const { feeds, labels } of batches.all()) {
        await hearRequests();
        signal.throwIfAborted();
        metrics.add(await logProbabilities(model, feeds, signal), labels);
      }
      signal.throwIfAborted();
      const measuredOn = batches.measuredOn();
      pinned ??= cropPinned(options);
      const predictions: PinnedPrediction[] = [];
      for (const image of await pinned) {
        await hearRequests();
        signal.throwIfAborted();
        predictions.push(await predictPinned(model, image, options.labels));
      }
      return { metrics: metrics.result(), pinned: predictions, measuredOn, preparing: batches.areKept() && !prepared };
    } finally {
      await model.dispose();
    }
  };
}

async function logProbabilities(
  model: InferenceModel,
  feeds: Feeds,
  signal?: AbortSignal,
): Promise<Tensor & { dtype: 'float32' }> {
  const [output] = (await model.run(feeds, signal)).values();
  if (output?.dtype !== 'float32') throw new Error('the network gave no float32 output');
  return output;
}

/** The validation batches after the frozen part; remembered after the first pass where that computes and fits. */
function validationBatches({ loader, frozen, log }: ValidatorOptions) {
  let complete: readonly KnownFeeds[] | undefined;
  let measuredOn: MeasuredOn | undefined;
  async function* all(): AsyncGenerator<KnownFeeds> {
    if (complete) {
      await loader.check();
      yield* complete;
      return;
    }
    let kept: KnownFeeds[] | undefined = frozen.computes ? [] : undefined;
    let bytes = 0;
    const counter = measuredOn ? undefined : createCounter();
    for await (const batch of mapAhead(loader.epoch(0), async ({ images, labels }) => {
      counter?.add(images, labels);
      return { feeds: await frozen.feeds(images), labels };
    })) {
      for (const { data } of batch.feeds.values()) bytes += data.byteLength;
      if (bytes > keptFeaturesLimit) kept = undefined;
      kept?.push(batch);
      yield batch;
    }
    measuredOn ??= counted(counter?.result(), loader.samples.length, log);
    complete = kept;
  }
  return {
    all,
    areKept: () => complete !== undefined,
    /** Known after the first pass. */
    measuredOn: (): MeasuredOn => {
      if (!measuredOn) throw new Error('nothing was validated yet');
      return measuredOn;
    },
  };
}

/** Counts and hashes what a validation sees. */
function createCounter() {
  const hash = createHash('sha256');
  let images = 0;
  return {
    add: ({ data }: Batch['images'], labels: Int32Array) => {
      images += labels.length;
      hash.update(data).update(labels);
    },
    result: (): MeasuredOn => ({ images, digest: hash.digest('hex') }),
  };
}

/** Says how many images are left out. */
function counted(measured: MeasuredOn | undefined, samples: number, log: (message: string) => void): MeasuredOn {
  if (!measured || measured.images === 0) {
    throw userError(
      'No image of the validation split could be decoded: look at the list of undecodable files and replace them.',
    );
  }
  const leftOut = samples - measured.images;
  if (leftOut > 0) {
    log(
      `Every validation of this run is over the same ${measured.images} of ${samples} images: ${leftOut} of them ${leftOut === 1 ? 'does' : 'do'} not decode.`,
    );
  }
  return measured;
}

/** `count` images drawn by seed, of as many classes as there are. */
export function choosePinned(samples: readonly Sample[], count: number, seed: number): Sample[] {
  const seen = new Map<number, number>();
  const drawn = Array.from(permutation(samples.length, createRandom(seed, 'pinned')), (index) => {
    const sample = samples[index];
    if (!sample) throw new RangeError(`there is no sample ${index}`);
    const round = seen.get(sample.classIndex) ?? 0;
    seen.set(sample.classIndex, round + 1);
    return { sample, round };
  });
  return drawn
    .sort((a, b) => a.round - b.round)
    .slice(0, count)
    .map(({ sample }) => sample);
}

async function cropPinned({ pinned, network, frozen, log }: ValidatorOptions): Promise<readonly PinnedFeeds[]> {
  const { resize, crop, interpolation, fit } = network.preprocessing;
  const cropped: PinnedFeeds[] = [];
  for (const sample of pinned) {
    try {
      const image = await decodeImage(sample.file, resize, { interpolation, fit });
      const crops = cropImage(image, crop, 5, fit);
      const data = new Uint8Array(crops.length * 3 * crop * crop);
      crops.forEach(({ pixels }, index) => data.set(pixels, index * pixels.length));
      const feeds = await frozen.feeds({ dtype: 'uint8', shape: [crops.length, 3, crop, crop], data });
      cropped.push({ sample, ...image.source, crops, feeds });
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      log(`${sample.file} is not among the pinned images: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return cropped;
}

async function predictPinned(
  model: InferenceModel,
  { sample, width, height, crops, feeds }: PinnedFeeds,
  labels: readonly ClassLabel[],
): Promise<PinnedPrediction> {
  const { data } = await logProbabilities(model, feeds);
  const rows = crops.map((_, index) =>
    data.subarray(index * labels.length, (index + 1) * labels.length).map((value) => Math.exp(value)),
  );
  return {
    image: sample.file,
    width,
    height,
    actual: sample.classIndex,
    crops: crops.map(({ name, frame }, index) => ({
      crop: name,
      frame,
      top: rankClasses(rows[index] ?? [], labels, pinnedTopK),
    })),
    mean: rankClasses(meanProbabilities(rows), labels, pinnedTopK),
  };
}
