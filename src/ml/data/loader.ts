import type { Fit, Interpolation } from '../../protocol/preprocessing.ts';
import { createRandom, permutation } from '../graph/random.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Augmentation, FurtherAugmentation } from './augment.ts';
import { balancedOrder, timesBefore } from './balancedOrder.ts';
import type { ImageRequest, ImageSource } from './imageSource.ts';
import { inChunks } from './inChunks.ts';
import type { ResizedSize } from './rgbImage.ts';
import type { Sample } from './scanDataset.ts';
import { createSpareBuffers, type SpareBuffers } from './spareBuffers.ts';

export interface LoaderOptions {
  readonly batchSize: number;
  /** What images are resized to (their short side, unless `fit` says otherwise), and side of the square that the network sees, in pixels. */
  readonly resize: number;
  readonly crop: number;
  /** Filter of the resize; bilinear without it. */
  readonly interpolation?: Interpolation | undefined;
  /** How an image becomes a square; `crop` without it. */
  readonly fit?: Fit | undefined;
  readonly augment: Augmentation;
  readonly further?: FurtherAugmentation;
  readonly seed: number;
  /** A new order every epoch; without it the samples' own. */
  readonly shuffle: boolean;
  /** With `shuffle`: `balanced` has every class come up equally often; see `balancedOrder`. Each sample once without it. */
  readonly sampling?: 'all' | 'balanced';
  /**
   * Puts another image, drawn by seed, in the place of one that does not decode, so that every batch has its full size.
   * For training; a measurement must count each image once, and there the batch lacks it.
   */
  readonly replaceUndecodable: boolean;
  /** Augmented views of an image, seen one an epoch over and over; without it every epoch sees new ones. */
  readonly views?: number;
  /** Sizes of an epoch's images, where they change; `resize` and `crop` without it. */
  readonly sizesAt?: (epoch: number) => Pick<LoaderOptions, 'resize' | 'crop'>;
  /** Batches made ahead of the one in use. */
  readonly prefetch?: number;
}

export interface Batch {
  /** Position in the epoch. */
  readonly index: number;
  /**
   * `[N, 3, crop, crop]`, R, G, B. They are the receiver's until it asks for the second batch after this one; then their
   * memory is used for another batch, and they are empty.
   */
  readonly images: Tensor & { readonly dtype: 'uint8'; readonly data: Uint8Array<ArrayBuffer> };
  /** Size of each image, ahead of its crop. */
  readonly resized: readonly ResizedSize[];
  /** Class indices, `[N]`. */
  readonly labels: Int32Array;
  /** Which samples these are, `[N]`. */
  readonly indices: Uint32Array;
  /** Whose places they have, `[N]`: their own, or those of undecodable samples that they replace. */
  readonly places: Uint32Array;
  /** All places of the batch in order, also of what was known and of what does not decode. */
  readonly wanted: Uint32Array;
}

export interface Loader {
  readonly samples: readonly Sample[];
  /** Batches in an epoch, the last, smaller one included. */
  readonly batches: number;
  /**
   * The batches of an epoch, from `fromBatch` on. The same seed, epoch and batch give the same pixels, whatever was loaded
   * before and however the threads ran. Places that `isKnown` are not loaded, only looked at. A batch of which nothing is known and no
   * image decodes is left out. Throws a user error where an image vanishes, or is another than it was in this run.
   */
  epoch(epoch: number, fromBatch?: number, isKnown?: (place: number) => boolean): AsyncGenerator<Batch, void, void>;
  /** Looks whether the images that were loaded are still there and the same. Throws a user error where one is not. */
  check(): Promise<void>;
  /** Which view of each image an epoch sees. The same view of an image has the same pixels in every epoch. */
  viewOf(epoch: number): number;
}

const defaultPrefetch = 3;
/** Draws for one replacement before its place is left empty. */
const replacementTries = 100;
/** Fewer images than this are not worth another thread's turn. */
const minChunk = 8;
/** Images that one thread looks at a time. */
const checkChunk = 512;

/** Batches of an epoch; the last may be smaller. */
export function batchCount(samples: number, batchSize: number): number {
  return Math.ceil(samples / batchSize);
}

/** Makes batches of samples, decoding and augmenting ahead in the source's threads. The source is the caller's to dispose. */
export function createLoader(samples: readonly Sample[], source: ImageSource, options: LoaderOptions): Loader {
  const { batchSize, views, prefetch = defaultPrefetch } = options;
  const batches = batchCount(samples.length, batchSize);
  const viewOf = (number: number) => (views === undefined ? number : number % views);

  async function* epoch(
    number: number,
    fromBatch = 0,
    isKnown: (place: number) => boolean = () => false,
  ): AsyncGenerator<Batch, void, void> {
    const view = viewOf(number);
    const sized = { ...options, ...options.sizesAt?.(number) };
    const order = orderOf(samples, options, number);
    // Kept views are of the samples alone; new ones of a sample that comes up again are others.
    const repeats = views === undefined && options.sampling === 'balanced' ? timesBefore(order) : undefined;
    const pending: Promise<Batch>[] = [];
    // New memory for every batch has V8 mark its heap every second batch, and costs fresh pages.
    const spare = createSpareBuffers(prefetch + 2 * source.threads);
    let next = fromBatch;
    let before: Batch | undefined;
    const refill = () => {
      for (; pending.length < prefetch && next < batches; next++) {
        const range = [next * batchSize, (next + 1) * batchSize] as const;
        const places = { wanted: order.subarray(...range), repeats: repeats?.subarray(...range) };
        const batch = loadBatch({ samples, source, options: sized, spare }, view, next, places, isKnown);
        // An error is thrown where the batch is asked for; a caller that stops before that has no use for it.
        batch.catch(() => undefined);
        pending.push(batch);
      }
    };
    refill();
    for (let batch = pending.shift(); batch; batch = pending.shift()) {
      const ready = await batch;
      refill();
      if (ready.indices.length === 0 && !ready.wanted.some(isKnown)) continue;
      yield ready;
      if (before) spare.put(before.images.data.buffer);
      before = ready;
    }
  }
  const check = () =>
    inChunks(samples, { size: checkChunk, threads: source.threads }, (chunk) =>
      source.check(
        chunk.map(({ file }) => ({
          file,
          side: options.resize,
          fit: options.fit,
          interpolation: options.interpolation,
        })),
      ),
    );
  return { samples, batches, epoch, check, viewOf };
}

function orderOf(
  samples: readonly Sample[],
  { seed, shuffle, sampling = 'all' }: LoaderOptions,
  epoch: number,
): Uint32Array {
  if (!shuffle) return Uint32Array.from(samples.keys());
  const random = createRandom(seed, 'order', epoch);
  if (sampling === 'all') return permutation(samples.length, random);
  return balancedOrder(
    samples.map(({ classIndex }) => classIndex),
    random,
  );
}

/** A sample that a batch wants. */
interface Wanted {
  readonly index: number;
  /** How often it came up before in the epoch. */
  readonly repeat: number;
}

interface LoaderParts {
  readonly samples: readonly Sample[];
  readonly source: ImageSource;
  readonly options: LoaderOptions;
  readonly spare: SpareBuffers;
}

/** A sample's input, and the place that it has. */
interface LoadedSample {
  readonly index: number;
  readonly place: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly resized: ResizedSize;
}

async function loadBatch(
  parts: LoaderParts,
  view: number,
  index: number,
  { wanted, repeats }: { readonly wanted: Uint32Array; readonly repeats: Uint32Array | undefined },
  isKnown: (place: number) => boolean,
): Promise<Batch> {
  // What is kept of a sample is made once, however often it comes up.
  const places = parts.options.views === undefined ? [...wanted] : [...new Set(wanted)];
  const fresh = places.flatMap((index, at) => (isKnown(index) ? [] : [{ index, repeat: repeats?.[at] ?? 0 }]));
  const chunk = chunkFor(parts);
  const chunks = Array.from({ length: Math.ceil(fresh.length / chunk) }, (_, at) =>
    loadChunk(parts, view, fresh.slice(at * chunk, (at + 1) * chunk)),
  );
  const known = places.filter(isKnown).map((index) => requestFor(parts, view, { index, repeat: 0 }));
  const [loaded] = await Promise.all([Promise.all(chunks), parts.source.check(known)]);
  return { index, wanted, ...assemble(parts, loaded.flat()) };
}

/**
 * Images that one thread is given at a time: as many as keep all threads busy with the batches that are made ahead. On
 * few threads that is a whole batch, which then need not be put together here.
 */
function chunkFor({ source, options }: LoaderParts): number {
  const ahead = Math.max(1, (options.prefetch ?? defaultPrefetch) - 1);
  return Math.max(minChunk, Math.ceil((options.batchSize * ahead) / source.threads));
}

async function loadChunk(parts: LoaderParts, view: number, wanted: readonly Wanted[]): Promise<LoadedSample[]> {
  const { source, options, spare } = parts;
  const size = 3 * options.crop * options.crop;
  const requests = wanted.map((sample) => requestFor(parts, view, sample));
  const { resized, pixels } = await source.load(requests, spare.take(requests.length * size));
  const loaded: LoadedSample[] = [];
  let offset = 0;
  for (const [at, sample] of wanted.entries()) {
    const { index } = sample;
    const own = resized[at];
    if (own) {
      loaded.push({ index, place: index, pixels: pixels.subarray(offset, offset + size), resized: own });
      offset += size;
    } else if (options.replaceUndecodable) {
      const replacement = await loadReplacement(parts, view, sample);
      if (replacement) loaded.push(replacement);
    }
  }
  return loaded;
}

async function loadReplacement(parts: LoaderParts, view: number, sample: Wanted): Promise<LoadedSample | undefined> {
  const { index, repeat } = sample;
  const random = createRandom(parts.options.seed, 'replacement', view, index, ...(repeat > 0 ? [repeat] : []));
  for (let attempt = 0; attempt < replacementTries; attempt++) {
    const other = random.integer(parts.samples.length);
    const { pixels, resized } = await parts.source.load([requestFor(parts, view, { index: other, repeat }, index)]);
    if (resized[0]) return { index: other, place: index, pixels, resized: resized[0] };
  }
  return undefined;
}

function requestFor(
  { samples, options }: LoaderParts,
  view: number,
  { index, repeat }: Wanted,
  instead?: number,
): ImageRequest {
  const sample = samples[index];
  if (!sample) throw new RangeError(`there is no sample ${index}`);
  const seeds = [options.seed, 'augment', view, index, ...(instead === undefined ? [] : ['instead of', instead])];
  if (repeat > 0) seeds.push('again', repeat);
  const { resize: side, fit, interpolation, crop, augment, further } = options;
  return { file: sample.file, side, fit, interpolation, crop, augment, further, seeds };
}

function assemble(parts: LoaderParts, loaded: readonly LoadedSample[]): Omit<Batch, 'index' | 'wanted'> {
  const { samples, options, spare } = parts;
  const data = joined(loaded.map(({ pixels }) => pixels), spare); // prettier-ignore
  return {
    images: { dtype: 'uint8', shape: [loaded.length, 3, options.crop, options.crop], data },
    resized: loaded.map(({ resized }) => resized),
    labels: Int32Array.from(loaded, (sample) => samples[sample.index]?.classIndex ?? -1),
    indices: Uint32Array.from(loaded, (sample) => sample.index),
    places: Uint32Array.from(loaded, (sample) => sample.place),
  };
}

/** The pixels of images one after the other: a copy, unless that is how they lie already. */
function joined(images: readonly Uint8Array<ArrayBuffer>[], spare: SpareBuffers): Uint8Array<ArrayBuffer> {
  const length = images.reduce((sum, image) => sum + image.length, 0);
  const buffers = new Set(images.map(({ buffer }) => buffer));
  const [only] = buffers;
  if (only && buffers.size === 1 && only.byteLength === length) return new Uint8Array(only);
  const data = new Uint8Array(spare.take(length) ?? new ArrayBuffer(length));
  let offset = 0;
  for (const image of images) {
    data.set(image, offset);
    offset += image.length;
  }
  buffers.forEach((buffer) => spare.put(buffer));
  return data;
}
