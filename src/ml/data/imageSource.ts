import { lstat } from 'node:fs/promises';
import { messageOf } from '../../protocol/errors.ts';
import { makePrivateFolder } from '../cache/privateFolder.ts';
import { createDecodePool } from './decodePool.ts';
import type { DecodePool } from './decodePool.ts';
import type { LoadAnswer, LoadRequest, LoadResult, SeenImage } from './decodeWorker.ts';
import { defaultCacheFolder, diskBudget, maxDiskCacheBytes, pruneDiskCache } from './diskCache.ts';
import { lostImage } from './lostImage.ts';
import { nativeJpegFailure } from './nativeJpeg.ts';
import type { ResizedImage } from './rgbImage.ts';
import type { Sketch } from './sketch.ts';

/** An image wanted as a network's input. */
export type ImageRequest = Omit<LoadRequest, 'seen' | 'held' | 'keep'>;

export interface ImageSourceOptions {
  /** Memory for decoded images, in bytes; what does not fit goes to the disk cache. */
  readonly cacheBytes: number;
  /** Folder of the disk cache; by default one in the user's own cache folder, which later runs find again. */
  readonly cacheFolder?: string;
  /** Most that the disk cache may hold, in bytes. */
  readonly diskCacheBytes?: number;
  /** Whether each image is asked for once, so that none is worth remembering. */
  readonly once?: boolean;
  /** Threads to work in, which stay the caller's; without it the source starts its own. */
  readonly pool?: DecodePool;
  /** Called once for each file that does not decode; it is left out for as long as the source lives. */
  readonly onUndecodable?: (file: string, reason: string) => void;
  /** Called with the sketch of each image that is loaded for the first time. */
  readonly onSketch?: (file: string, sketch: Sketch) => void;
  /** Called with a sentence when something goes on in a worse way than wished. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Makes inputs of image files in worker threads and remembers what it decoded. Loaders share one. An image is the same for
 * as long as the source lives: one that vanishes, or that is another when it is looked at again, is a user error.
 */
export interface ImageSource {
  readonly threads: number;
  /**
   * Inputs of the images that decode, one after the other, and which they are. Bad files are left out. The pixels are
   * written into `room` where it has their size; it is taken from the caller.
   */
  load(requests: readonly ImageRequest[], room?: ArrayBuffer): Promise<LoadedPixels>;
  /** Looks whether images that were loaded are still there and the same; those that never decoded are passed over. */
  check(requests: readonly CheckedImage[]): Promise<void>;
  /** Files that did not decode so far, with the reason. */
  readonly undecodable: ReadonlyMap<string, string>;
  readonly statistics: Readonly<SourceStatistics>;
  dispose(): Promise<void>;
}

/** What of a request says which image it is. */
export type CheckedImage = Pick<ImageRequest, 'file' | 'side' | 'fit' | 'interpolation'>;

export interface LoadedPixels {
  readonly decoded: readonly boolean[];
  readonly pixels: Uint8Array<ArrayBuffer>;
}

interface SourceStatistics {
  /** Images that were taken from memory. */
  fromMemory: number;
  memoryBytes: number;
  diskBytesWritten: number;
}

/** A source of images. The disk cache is written to only when memory is full. */
export function createImageSource(options: ImageSourceOptions): ImageSource {
  const pool = options.pool ?? createDecodePool();
  const memory = createMemoryCache(options.cacheBytes);
  const disk = createDiskBudget(options);
  const seen = new Map<string, SeenImage>();
  const undecodable = new Map<string, string>();
  const statistics = { fromMemory: 0, memoryBytes: 0, diskBytesWritten: 0 };
  const failure = nativeJpegFailure();
  if (failure !== undefined) {
    options.onWarning?.(
      `JPEGs take several times as long to decode, because libjpeg-turbo cannot be loaded (${failure}).`,
    );
  }

  const keep = async (request: ImageRequest): Promise<LoadRequest['keep']> => {
    if (options.once) return 'nowhere';
    if (memory.reserve(request)) return 'memory';
    return (await disk.reserve(request)) ? 'disk' : 'nowhere';
  };
  const requestFor = async (request: ImageRequest): Promise<LoadRequest> => {
    const known = seen.get(keyOf(request));
    const held = memory.get(request);
    const before = known ? { seen: known } : {};
    return held
      ? { ...request, ...before, held, keep: 'nowhere' }
      : { ...request, ...before, keep: await keep(request) };
  };
  /** Throws where the image is lost. */
  const note = (image: CheckedImage, result: LoadResult | undefined) => {
    if (!result) return;
    if (result.ok) {
      if (result.seen) seen.set(keyOf(image), result.seen);
      if (result.sketch) options.onSketch?.(image.file, result.sketch);
    } else if (result.lost) {
      throw lostImage(image.file, { kind: result.lost, reason: result.reason });
    } else if (!undecodable.has(image.file)) {
      undecodable.set(image.file, result.reason);
      options.onUndecodable?.(image.file, result.reason);
    }
  };
  const settle = (request: LoadRequest, result: LoadResult | undefined) => {
    if (request.keep === 'memory') memory.settle(request, result?.ok ? result.image : undefined);
    if (request.keep === 'disk') disk.settle(request, result?.ok ? result : undefined);
    if (!result?.ok) return;
    statistics.diskBytesWritten += result.written;
    if (request.held) statistics.fromMemory++;
    statistics.memoryBytes = memory.bytes();
  };

  return {
    threads: pool.threads,
    undecodable,
    statistics,
    dispose: async () => {
      memory.clear();
      if (!options.pool) await pool.dispose();
    },
    load: async (wanted, room) => {
      const requests: LoadRequest[] = [];
      const positions: number[] = [];
      for (const [position, request] of wanted.entries()) {
        if (undecodable.has(request.file)) continue;
        positions.push(position);
        requests.push(await requestFor(request));
      }
      const folder = await disk.folder();
      const task = { requests, ...(folder === undefined ? {} : { folder }), ...(room ? { room } : {}) };
      let answer: LoadAnswer | undefined;
      try {
        answer = requests.length > 0 ? await pool.load(task) : undefined;
      } finally {
        requests.forEach((request, index) => settle(request, answer?.results[index]));
      }
      requests.forEach((request, index) => note(request, answer?.results[index]));
      const decoded = wanted.map(() => false);
      positions.forEach((position, index) => (decoded[position] = answer?.results[index]?.ok ?? false));
      return { decoded, pixels: answer?.pixels ?? new Uint8Array(0) };
    },
    check: async (images) => {
      const requests = images.flatMap((image) => {
        const known = seen.get(keyOf(image));
        return known ? [{ ...image, seen: known }] : [];
      });
      if (requests.length === 0) return;
      const results = await pool.check({ requests });
      requests.forEach((request, index) => note(request, results[index]));
    },
  };
}

function keyOf({ file, side, fit = 'crop', interpolation = 'bilinear' }: CheckedImage): string {
  return `${side}:${fit}:${interpolation}:${file}`;
}

/** Bytes that a decoded image takes, before its shape is known: photographs are 4:3 or 3:2. */
function expectedBytes({ side }: ImageRequest): number {
  return Math.round(side * side * 1.5 * 3);
}

/** Decoded images up to a number of bytes. Room is reserved before an image is decoded, since several are at a time. */
function createMemoryCache(limit: number) {
  const images = new Map<string, ResizedImage>();
  let held = 0;
  let reserved = 0;
  return {
    bytes: () => held,
    clear: () => {
      images.clear();
      held = 0;
    },
    get: (request: ImageRequest) => images.get(keyOf(request)),
    reserve: (request: ImageRequest) => {
      if (held + reserved + expectedBytes(request) > limit) return false;
      reserved += expectedBytes(request);
      return true;
    },
    settle: (request: ImageRequest, image: ResizedImage | undefined) => {
      reserved -= expectedBytes(request);
      if (!image || images.has(keyOf(request)) || held + image.data.length > limit) return;
      images.set(keyOf(request), image);
      held += image.data.length;
    },
  };
}

/** Bytes that are asked for at a time: then the folder is looked through, in which other runs write too. */
const grantBytes = 2 ** 30;

/**
 * Counts down the bytes that the disk cache may still take, makes room by removing what no run has used for longest, and
 * warns once when there is none to be had. Room is reserved as in memory.
 */
function createDiskBudget({ cacheFolder, diskCacheBytes: limit = maxDiskCacheBytes, onWarning }: ImageSourceOptions) {
  const path = cacheFolder ?? defaultCacheFolder();
  const began = Date.now();
  const grant = Math.min(grantBytes, limit);
  let usable: Promise<string | undefined> | undefined;
  let granting: Promise<void> | undefined;
  let left = 0;
  let reserved = 0;
  let over = false;
  const end = (why: string) => {
    if (!over) onWarning?.(`${why}, so images that do not fit into memory are decoded again in every epoch.`);
    over = true;
  };
  const refuse = (error: unknown) => {
    end(`The image cache ${path} cannot be used (${messageOf(error)})`);
    usable = Promise.resolve(undefined);
    return undefined;
  };
  /** What is not there yet holds nothing to be wary of, and need not be made to be read from. */
  const look = async () => {
    if (await lstat(path).catch(() => undefined)) await makePrivateFolder(path);
    return path;
  };
  const ask = async () => {
    try {
      await makePrivateFolder(path);
      const held = await pruneDiskCache(path, limit - grant, began);
      left = Math.min(grant, (await diskBudget(path, held, limit)) - reserved);
    } catch (error) {
      refuse(error);
    }
  };
  return {
    /** The folder, unless it cannot be trusted. */
    folder: () => (usable ??= look().catch(refuse)),
    reserve: async (request: ImageRequest) => {
      if (!over && left < expectedBytes(request)) await (granting ??= ask().finally(() => (granting = undefined)));
      if (left < expectedBytes(request)) end(`The image cache ${path} is full`);
      if (over) return false;
      left -= expectedBytes(request);
      reserved += expectedBytes(request);
      return true;
    },
    settle: (request: ImageRequest, kept: { readonly written: number; readonly diskError?: string } | undefined) => {
      left += expectedBytes(request) - (kept?.written ?? 0);
      reserved -= expectedBytes(request);
      if (kept?.diskError !== undefined) end(`The image cache ${path} cannot be written (${kept.diskError})`);
    },
  };
}
