import { createDecodePool } from './decodePool.ts';
import type { DecodePool } from './decodePool.ts';
import type { LoadAnswer, LoadRequest, LoadResult, SeenImage } from './decodeWorker.ts';
import {
  createKeptImages,
  imageKey,
  type KeptImage,
  type KeptImagesOptions,
  type KeptStatistics,
} from './keptImages.ts';
import { lostImage } from './lostImage.ts';
import { nativeJpegFailure } from './nativeJpeg.ts';
import type { ResizedSize } from './rgbImage.ts';
import type { Sketch } from './sketch.ts';

/** An image wanted as a network's input. */
export type ImageRequest = Omit<LoadRequest, 'seen' | 'held' | 'keep'>;

export interface ImageSourceOptions extends KeptImagesOptions {
  /** Threads to work in, which stay the caller's; without it the source starts its own. */
  readonly pool?: DecodePool;
  /** Called once for each file that does not decode; it is left out for as long as the source lives. */
  readonly onUndecodable?: (file: string, reason: string) => void;
  /** Called with the sketch of each image that is loaded for the first time. */
  readonly onSketch?: (file: string, sketch: Sketch) => void;
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
  check(requests: readonly KeptImage[]): Promise<void>;
  /** Files that did not decode so far, with the reason. */
  readonly undecodable: ReadonlyMap<string, string>;
  readonly statistics: Readonly<KeptStatistics>;
  dispose(): Promise<void>;
}

export interface LoadedPixels {
  /** Size of each image, ahead of its crop; undefined for one that does not decode. */
  readonly resized: readonly (ResizedSize | undefined)[];
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** A source of images. The disk cache is written to only when memory is full. */
export function createImageSource(options: ImageSourceOptions): ImageSource {
  const pool = options.pool ?? createDecodePool();
  const kept = createKeptImages(options);
  const seen = new Map<string, SeenImage>();
  const undecodable = new Map<string, string>();
  const failure = nativeJpegFailure();
  if (failure !== undefined) {
    options.onWarning?.(
      `JPEGs take several times as long to decode, because libjpeg-turbo cannot be loaded (${failure}).`,
    );
  }

  /** Throws where the image is lost. */
  const note = (image: KeptImage, result: LoadResult | undefined) => {
    if (!result) return;
    if (result.ok) {
      if (result.seen) seen.set(imageKey(image), result.seen);
      if (result.sketch) options.onSketch?.(image.file, result.sketch);
    } else if (result.lost) {
      throw lostImage(image.file, { kind: result.lost, reason: result.reason });
    } else if (!undecodable.has(image.file)) {
      undecodable.set(image.file, result.reason);
      options.onUndecodable?.(image.file, result.reason);
    }
  };
  return {
    threads: pool.threads,
    undecodable,
    statistics: kept.statistics,
    dispose: async () => {
      kept.clear();
      if (!options.pool) await pool.dispose();
    },
    load: async (wanted, room) => {
      const requests: LoadRequest[] = [];
      const positions: number[] = [];
      for (const [position, request] of wanted.entries()) {
        if (undecodable.has(request.file)) continue;
        positions.push(position);
        const known = seen.get(imageKey(request));
        requests.push({ ...request, ...(known ? { seen: known } : {}), ...(await kept.find(request)) });
      }
      const folder = await kept.folder();
      const task = { requests, ...(folder === undefined ? {} : { folder }), ...(room ? { room } : {}) };
      let answer: LoadAnswer | undefined;
      try {
        answer = requests.length > 0 ? await pool.load(task) : undefined;
      } finally {
        requests.forEach((request, index) => kept.settle(request, answer?.results[index]));
      }
      requests.forEach((request, index) => note(request, answer?.results[index]));
      const resized: (ResizedSize | undefined)[] = wanted.map(() => undefined);
      positions.forEach((position, index) => {
        const result = answer?.results[index];
        if (result?.ok) resized[position] = result.resized;
      });
      return { resized, pixels: answer?.pixels ?? new Uint8Array(0) };
    },
    check: async (images) => {
      const requests = images.flatMap((image) => {
        const known = seen.get(imageKey(image));
        return known ? [{ ...image, seen: known }] : [];
      });
      if (requests.length === 0) return;
      const results = await pool.check({ requests });
      requests.forEach((request, index) => note(request, results[index]));
    },
  };
}
