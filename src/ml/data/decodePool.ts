import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { CroppedImage } from './decodeCrops.ts';
import type {
  CheckTask,
  CropTask,
  InspectTask,
  Inspection,
  LoadAnswer,
  LoadResult,
  LoadTask,
  ThumbnailTask,
} from './decodeWorker.ts';
import { createLargeImageLock } from './largeImageLock.ts';
import type { Sketches } from './sketchbook.ts';
import { workerScript } from './workerScript.ts';

/** Worker threads that decode, augment and hash. */
export interface DecodePool {
  readonly threads: number;
  /** Makes inputs of images; `room` is handed over to a thread, so that it is empty here. */
  load(task: Omit<LoadTask, 'lock'>): Promise<LoadAnswer>;
  /** Cuts an image into crops; the memory of its bytes is handed over to a thread, so that it is empty here. */
  crop(task: Omit<CropTask, 'lock'>): Promise<CroppedImage>;
  /** Looks whether images are those that were seen. */
  check(task: Omit<CheckTask, 'lock'>): Promise<readonly LoadResult[]>;
  inspect(task: Omit<InspectTask, 'lock'>): Promise<readonly Inspection[]>;
  thumbnails(task: Omit<ThumbnailTask, 'lock'>): Promise<readonly (Uint8Array | undefined)[]>;
  /** Groups of images by their places whose sketches agree. */
  similar(sketches: Sketches): Promise<number[][]>;
  /** What the contents are known again by, as `digestFile` says; NaN for a file that cannot be read. */
  digest(files: readonly string[]): Promise<Float64Array>;
  /** Sizes in bytes; -1 for a file that is not there. */
  measure(files: readonly string[]): Promise<Float64Array>;
  /** Ends the threads; what they were doing is rejected. */
  dispose(): Promise<void>;
}

/** More threads than this do not decode faster: sharp works on libuv's four threads unless UV_THREADPOOL_SIZE says more. */
const maxThreads = 8;

/** Starts the threads. */
export function createDecodePool(threads = Math.min(maxThreads, availableParallelism())): DecodePool {
  const lock = createLargeImageLock();
  const { href: filename } = workerScript('decodeWorker');
  const pool = new Piscina({ filename, execArgv: [], minThreads: threads, maxThreads: threads });
  // A thread that is ended while it loads its modules takes the process down with it: Node aborts.
  const loaded = new Promise<void>((resolve) => {
    let loading = threads;
    pool.on('message', () => {
      if (--loading === 0) resolve();
    });
    pool.on('workerDestroy', () => resolve());
    // A thread that dies rejects its task with the reason; unheard, the event would end the whole process.
    pool.on('error', () => resolve());
  });
  return {
    threads,
    load: (task) =>
      pool.run(
        { ...task, lock },
        { name: 'loadImages', transferList: task.room ? [task.room] : [] },
      ) as Promise<LoadAnswer>,
    crop: (task) =>
      pool.run({ ...task, lock }, { name: 'cropOne', transferList: [task.content.buffer] }) as Promise<CroppedImage>,
    check: (task) => pool.run({ ...task, lock }, { name: 'checkImages' }) as Promise<readonly LoadResult[]>,
    inspect: (task) => pool.run({ ...task, lock }, { name: 'inspectFiles' }) as Promise<readonly Inspection[]>,
    thumbnails: (task) =>
      pool.run({ ...task, lock }, { name: 'makeThumbnails' }) as Promise<readonly (Uint8Array | undefined)[]>,
    similar: (sketches) => pool.run(sketches, { name: 'similarSketches' }) as Promise<number[][]>,
    digest: (files) => pool.run({ files }, { name: 'digestFiles' }) as Promise<Float64Array>,
    measure: (files) => pool.run({ files }, { name: 'measureFiles' }) as Promise<Float64Array>,
    dispose: async () => {
      await loaded;
      await pool.destroy();
    },
  };
}
