import { messageOf } from '../../protocol/errors.ts';
import { createDecodePool } from './decodePool.ts';
import type { DecodePool } from './decodePool.ts';
import type { LoadAnswer, LoadRequest, LoadResult } from './decodeWorker.ts';
import { defaultCacheFolder, diskBudget, maxDiskCacheBytes, pruneDiskCache } from './diskCache.ts';
import type { ResizedImage } from './rgbImage.ts';

/** An image wanted as a network's input. */
export type ImageRequest = Omit<LoadRequest, 'held' | 'keep'>;

export interface ImageSourceOptions {
  /** Memory for decoded images, in bytes; what does not fit goes to the disk cache. */
  readonly cacheBytes: number;
  /** Folder of the disk cache; by default one in the system's temporary folder, which later runs find again. */
  readonly cacheFolder?: string;
  /** Most that the disk cache may hold, in bytes. */
  readonly diskCacheBytes?: number;
  /** Whether each image is asked for once, so that none is worth remembering. */
  readonly once?: boolean;
  /** Threads to work in, which stay the caller's; without it the source starts its own. */
  readonly pool?: DecodePool;
  /** Called once for each file that does not decode. */
  readonly onUndecodable?: (file: string, reason: string) => void;
  /** Called with a sentence when something goes on in a worse way than wished. */
  readonly onWarning?: (message: string) => void;
}

/** Makes inputs of image files in worker threads and remembers what it decoded. Loaders share one. */
export interface ImageSource {
  readonly threads: number;
  /**
   * Inputs of the images that decode, one after the other, and which they are. Bad files are left out. The pixels are
   * written into `room` where it has their size; it is taken from the caller.
   */
  load(requests: readonly ImageRequest[], room?: ArrayBuffer): Promise<LoadedPixels>;
  /** Files that did not decode so far, with the reason. */
  readonly undecodable: ReadonlyMap<string, string>;
  readonly statistics: Readonly<SourceStatistics>;
  dispose(): Promise<void>;
}

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

/** A source of images. The disk cache is touched only when memory is full. */
export function createImageSource(options: ImageSourceOptions): ImageSource {
  const folder = options.cacheFolder ?? defaultCacheFolder();
  const pool = options.pool ?? createDecodePool();
  const memory = createMemoryCache(options.cacheBytes);
  const disk = createDiskBudget(folder, options.diskCacheBytes ?? maxDiskCacheBytes, options.onWarning);
  const undecodable = new Map<string, string>();
  const statistics = { fromMemory: 0, memoryBytes: 0, diskBytesWritten: 0 };

  const markUndecodable = (file: string, reason: string) => {
    if (undecodable.has(file)) return;
    undecodable.set(file, reason);
    options.onUndecodable?.(file, reason);
  };
  const keep = async (request: ImageRequest): Promise<LoadRequest['keep']> => {
    if (options.once) return 'nowhere';
    if (memory.reserve(request)) return 'memory';
    return (await disk.reserve(request)) ? 'disk' : 'nowhere';
  };
  const settle = (request: LoadRequest, result: LoadResult | undefined) => {
    if (request.keep === 'memory') memory.settle(request, result?.ok ? result.image : undefined);
    if (request.keep === 'disk') disk.settle(request, result?.ok ? result : undefined);
    if (!result?.ok) {
      if (result) markUndecodable(request.file, result.reason);
      return;
    }
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
        const held = memory.get(request);
        positions.push(position);
        requests.push(held ? { ...request, held, keep: 'nowhere' } : { ...request, keep: await keep(request) });
      }
      let answer: LoadAnswer | undefined;
      try {
        answer = requests.length > 0 ? await pool.load({ requests, folder, ...(room ? { room } : {}) }) : undefined;
      } finally {
        requests.forEach((request, index) => settle(request, answer?.results[index]));
      }
      const decoded = wanted.map(() => false);
      positions.forEach((position, index) => (decoded[position] = answer?.results[index]?.ok ?? false));
      return { decoded, pixels: answer?.pixels ?? new Uint8Array(0) };
    },
  };
}

/** Bytes that a decoded image takes, before its shape is known: photographs are 4:3 or 3:2. */
function expectedBytes({ shortSide }: ImageRequest): number {
  return Math.round(shortSide * shortSide * 1.5 * 3);
}

/** Decoded images up to a number of bytes. Room is reserved before an image is decoded, since several are at a time. */
function createMemoryCache(limit: number) {
  const images = new Map<string, ResizedImage>();
  let held = 0;
  let reserved = 0;
  const keyOf = ({ file, shortSide }: ImageRequest) => `${shortSide}:${file}`;
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

/**
 * Counts down the bytes that the disk cache may still take, and warns once when there are none left. Room is reserved as
 * in memory.
 */
function createDiskBudget(folder: string, limit: number, onWarning: ((message: string) => void) | undefined) {
  let left: Promise<number> | undefined;
  let spent = 0;
  let reserved = 0;
  let warned = false;
  const warn = (why: string) => {
    if (!warned) onWarning?.(`${why}, so images that do not fit into memory are decoded again in every epoch.`);
    warned = true;
  };
  const prepare = async () => {
    try {
      return await diskBudget(folder, await pruneDiskCache(folder, limit), limit);
    } catch (error) {
      warn(`The image cache ${folder} cannot be used (${messageOf(error)})`);
      return 0;
    }
  };
  return {
    reserve: async (request: ImageRequest) => {
      left ??= prepare();
      const room = (await left) >= spent + reserved + expectedBytes(request);
      if (room) reserved += expectedBytes(request);
      else warn(`The image cache ${folder} is full`);
      return room;
    },
    settle: (request: ImageRequest, kept: { readonly written: number; readonly diskError?: string } | undefined) => {
      reserved -= expectedBytes(request);
      if (!kept) return;
      spent += kept.written;
      if (kept.diskError === undefined) return;
      warn(`The image cache ${folder} cannot be written (${kept.diskError})`);
      left = Promise.resolve(0);
    },
  };
}
