import { lstat } from 'node:fs/promises';
import { messageOf } from '../../protocol/errors.ts';
import { makePrivateFolder } from '../cache/privateFolder.ts';
import type { LoadRequest, LoadResult } from './decodeWorker.ts';
import { defaultCacheFolder, diskBudget, maxDiskCacheBytes, pruneDiskCache } from './diskCache.ts';
import type { ResizedImage } from './rgbImage.ts';

/** What of a request says which image it is, and at which size it is kept. */
export type KeptImage = Pick<LoadRequest, 'file' | 'side' | 'fit' | 'interpolation'>;

export function imageKey({ side, file, fit = 'crop', interpolation = 'bilinear' }: KeptImage): string {
  return `${side}:${fit}:${interpolation}:${file}`;
}

export interface KeptImagesOptions {
  /** Memory for decoded images, in bytes; what does not fit goes to the disk cache. */
  readonly cacheBytes: number;
  /** Folder of the disk cache; by default one in the user's own cache folder, which later runs find again. */
  readonly cacheFolder?: string;
  /** Most that the disk cache may hold, in bytes. */
  readonly diskCacheBytes?: number;
  /** Whether each image is asked for once, so that none is worth remembering. */
  readonly once?: boolean;
  /** Called with a sentence when something goes on in a worse way than wished. */
  readonly onWarning?: (message: string) => void;
}

export interface KeptStatistics {
  /** Images that were taken from memory. */
  fromMemory: number;
  memoryBytes: number;
  diskBytesWritten: number;
}

/** Decoded images that are remembered: in memory while there is room, then on disk. */
export interface KeptImages {
  /** An image that is in memory, or where it is to be kept once it is decoded; room for it is reserved there. */
  readonly find: (image: KeptImage) => Promise<Pick<LoadRequest, 'held' | 'keep'>>;
  /** Has to follow each `find`: keeps the image, or gives its room back. */
  readonly settle: (request: LoadRequest, result: LoadResult | undefined) => void;
  /** Folder of the disk cache, unless it cannot be trusted. */
  readonly folder: () => Promise<string | undefined>;
  readonly statistics: Readonly<KeptStatistics>;
  /** Forgets what is in memory. */
  readonly clear: () => void;
}

export function createKeptImages(options: KeptImagesOptions): KeptImages {
  const memory = createMemoryCache(options.cacheBytes);
  const disk = createDiskBudget(options);
  const statistics = { fromMemory: 0, memoryBytes: 0, diskBytesWritten: 0 };
  const place = async (image: KeptImage): Promise<LoadRequest['keep']> => {
    if (options.once) return 'nowhere';
    if (memory.reserve(image)) return 'memory';
    return (await disk.reserve(image)) ? 'disk' : 'nowhere';
  };
  return {
    find: async (image) => {
      const held = memory.get(image);
      return held ? { held, keep: 'nowhere' } : { keep: await place(image) };
    },
    settle: (request, result) => {
      if (request.keep === 'memory') memory.settle(request, result?.ok ? result.image : undefined);
      if (request.keep === 'disk') disk.settle(request, result?.ok ? result : undefined);
      if (!result?.ok) return;
      statistics.diskBytesWritten += result.written;
      if (request.held) statistics.fromMemory++;
      statistics.memoryBytes = memory.bytes();
    },
    folder: disk.folder,
    statistics,
    clear: memory.clear,
  };
}

/** Bytes that a decoded image takes, before its shape is known: photographs are 4:3 or 3:2. */
function expectedBytes({ side }: KeptImage): number {
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
    get: (request: KeptImage) => images.get(imageKey(request)),
    reserve: (request: KeptImage) => {
      if (held + reserved + expectedBytes(request) > limit) return false;
      reserved += expectedBytes(request);
      return true;
    },
    settle: (request: KeptImage, image: ResizedImage | undefined) => {
      reserved -= expectedBytes(request);
      if (!image || images.has(imageKey(request)) || held + image.data.length > limit) return;
      images.set(imageKey(request), image);
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
function createDiskBudget({ cacheFolder, diskCacheBytes: limit = maxDiskCacheBytes, onWarning }: KeptImagesOptions) {
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
    reserve: async (request: KeptImage) => {
      if (!over && left < expectedBytes(request)) await (granting ??= ask().finally(() => (granting = undefined)));
      if (left < expectedBytes(request)) end(`The image cache ${path} is full`);
      if (over) return false;
      left -= expectedBytes(request);
      reserved += expectedBytes(request);
      return true;
    },
    settle: (request: KeptImage, kept: { readonly written: number; readonly diskError?: string } | undefined) => {
      left += expectedBytes(request) - (kept?.written ?? 0);
      reserved -= expectedBytes(request);
      if (kept?.diskError !== undefined) end(`The image cache ${path} cannot be written (${kept.diskError})`);
    },
  };
}
