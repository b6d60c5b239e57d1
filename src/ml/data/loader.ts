import { createRandom, permutation } from '../graph/random.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Augmentation } from './augment.ts';
import type { ImageRequest, ImageSource } from './imageSource.ts';
import type { Sample } from './scanDataset.ts';

export interface LoaderOptions {
  readonly batchSize: number;
  /** Short side to which images are resized, and side of the square that the network sees, in pixels. */
  readonly resize: number;
  readonly crop: number;
  readonly augment: Augmentation;
  readonly seed: number;
  /** A new order every epoch; without it the samples' own. */
  readonly shuffle: boolean;
  /**
   * Puts another image, drawn by seed, in the place of one that does not decode, so that every batch has its full size.
   * For training; a measurement must count each image once, and there the batch lacks it.
   */
  readonly replaceUndecodable: boolean;
  /** Batches made ahead of the one in use. */
  readonly prefetch?: number;
}

export interface Batch {
  /** Position in the epoch. */
  readonly index: number;
  /** `[N, 3, crop, crop]`, R, G, B; the receiver owns it. */
  readonly images: Tensor & { dtype: 'uint8' };
  /** Class indices, `[N]`. */
  readonly labels: Int32Array;
  /** Which samples these are, `[N]`. */
  readonly indices: Uint32Array;
}

export interface Loader {
  readonly samples: readonly Sample[];
  /** Batches in an epoch, the last, smaller one included. */
  readonly batches: number;
  /**
   * The batches of an epoch, from `fromBatch` on. The same seed, epoch and batch give the same pixels, whatever was loaded
   * before and however the threads ran. A batch of which no image decodes is left out.
   */
  epoch(epoch: number, fromBatch?: number): AsyncGenerator<Batch, void, void>;
}

const defaultPrefetch = 3;
/** Draws for one replacement before its place is left empty. */
const replacementTries = 100;
/** Most images that one thread is given at a time. */
const maxChunk = 8;

/** Makes batches of samples, decoding and augmenting ahead in the source's threads. The source is the caller's to dispose. */
export function createLoader(samples: readonly Sample[], source: ImageSource, options: LoaderOptions): Loader {
  const { batchSize, seed, shuffle, prefetch = defaultPrefetch } = options;
  const batches = Math.ceil(samples.length / batchSize);

  async function* epoch(number: number, fromBatch = 0): AsyncGenerator<Batch, void, void> {
    const order = shuffle
      ? permutation(samples.length, createRandom(seed, 'order', number))
      : Uint32Array.from(samples.keys());
    const pending: Promise<Batch>[] = [];
    let next = fromBatch;
    const refill = () => {
      for (; pending.length < prefetch && next < batches; next++) {
        const indices = order.subarray(next * batchSize, (next + 1) * batchSize);
        const batch = loadBatch({ samples, source, options }, number, next, indices);
        // An error is thrown where the batch is asked for; a caller that stops before that has no use for it.
        batch.catch(() => undefined);
        pending.push(batch);
      }
    };
    refill();
    for (let batch = pending.shift(); batch; batch = pending.shift()) {
      const ready = await batch;
      refill();
      if (ready.indices.length > 0) yield ready;
    }
  }
  return { samples, batches, epoch };
}

interface LoaderParts {
  readonly samples: readonly Sample[];
  readonly source: ImageSource;
  readonly options: LoaderOptions;
}

/** A sample's input. */
interface LoadedSample {
  readonly index: number;
  readonly pixels: Uint8Array;
}

async function loadBatch(parts: LoaderParts, epoch: number, index: number, indices: Uint32Array): Promise<Batch> {
  const chunk = Math.min(maxChunk, Math.max(1, Math.ceil(indices.length / parts.source.threads)));
  const chunks = Array.from({ length: Math.ceil(indices.length / chunk) }, (_, at) =>
    loadChunk(parts, epoch, [...indices.subarray(at * chunk, (at + 1) * chunk)]),
  );
  const loaded = (await Promise.all(chunks)).flat();
  return assemble(parts, index, loaded);
}

async function loadChunk(parts: LoaderParts, epoch: number, indices: readonly number[]): Promise<LoadedSample[]> {
  const { source, options } = parts;
  const { decoded, pixels } = await source.load(indices.map((index) => requestFor(parts, epoch, index)));
  const size = 3 * options.crop * options.crop;
  const loaded: LoadedSample[] = [];
  let offset = 0;
  for (const [at, index] of indices.entries()) {
    if (decoded[at]) {
      loaded.push({ index, pixels: pixels.subarray(offset, offset + size) });
      offset += size;
    } else if (options.replaceUndecodable) {
      const replacement = await loadReplacement(parts, epoch, index);
      if (replacement) loaded.push(replacement);
    }
  }
  return loaded;
}

async function loadReplacement(parts: LoaderParts, epoch: number, index: number): Promise<LoadedSample | undefined> {
  const random = createRandom(parts.options.seed, 'replacement', epoch, index);
  for (let attempt = 0; attempt < replacementTries; attempt++) {
    const other = random.integer(parts.samples.length);
    const { decoded, pixels } = await parts.source.load([requestFor(parts, epoch, other, index)]);
    if (decoded[0]) return { index: other, pixels };
  }
  return undefined;
}

function requestFor({ samples, options }: LoaderParts, epoch: number, index: number, instead?: number): ImageRequest {
  const sample = samples[index];
  if (!sample) throw new RangeError(`there is no sample ${index}`);
  const seeds = [options.seed, 'augment', epoch, index, ...(instead === undefined ? [] : ['instead of', instead])];
  return { file: sample.file, shortSide: options.resize, crop: options.crop, augment: options.augment, seeds };
}

function assemble({ samples, options }: LoaderParts, index: number, loaded: readonly LoadedSample[]): Batch {
  const size = 3 * options.crop * options.crop;
  const data = new Uint8Array(loaded.length * size);
  loaded.forEach(({ pixels }, position) => data.set(pixels, position * size));
  return {
    index,
    images: { dtype: 'uint8', shape: [loaded.length, 3, options.crop, options.crop], data },
    labels: Int32Array.from(loaded, (sample) => samples[sample.index]?.classIndex ?? -1),
    indices: Uint32Array.from(loaded, (sample) => sample.index),
  };
}
