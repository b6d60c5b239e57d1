import { setTimeout as delay } from 'node:timers/promises';
import { cancelled } from '../../protocol/errors.ts';

/** Puts images of different requests through the network together. */
export interface BatchingQueue {
  /**
   * A row of probabilities for each crop of an image, `[3, size, size]` uint8 each. Throws `CancelledError` if `signal` is
   * aborted before it is the image's turn, and what the network throws.
   */
  classify(crops: readonly Uint8Array[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

export interface BatchingOptions {
  /** A row for each of the crops, in their order. Called once at a time. */
  readonly compute: (crops: readonly Uint8Array[]) => Promise<readonly Float32Array[]>;
  /** Images of one batch. */
  readonly mostImages: number;
  /** Longest time in milliseconds that a batch waits for more images. */
  readonly waitMilliseconds: number;
  /** Whether more images are on their way. */
  readonly isMoreComing: () => boolean;
  /** Hears of each batch and its number of images. */
  readonly onBatch?: (images: number) => void;
}

interface Job {
  readonly crops: readonly Uint8Array[];
  readonly signal: AbortSignal;
  readonly resolve: (rows: readonly Float32Array[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Images wait in the order in which they come; a batch is what waits when the network is free. */
export function createBatchingQueue(options: BatchingOptions): BatchingQueue {
  const { compute, mostImages, waitMilliseconds, isMoreComing, onBatch } = options;
  const jobs: Job[] = [];
  let isWorking = false;

  async function fill(): Promise<void> {
    const until = performance.now() + waitMilliseconds;
    while (jobs.length < mostImages && isMoreComing() && performance.now() < until) await delay(1);
  }

  async function answer(batch: readonly Job[]): Promise<void> {
    try {
      const rows = await compute(batch.flatMap(({ crops }) => crops));
      let from = 0;
      for (const { crops, resolve } of batch) resolve(rows.slice(from, (from += crops.length)));
    } catch (error) {
      const [first, ...others] = batch;
      // One image must not fail another: each gets an answer of its own.
      if (others.length > 0) for (const job of batch) await answer([job]);
      else first?.reject(error);
    }
  }

  async function work(): Promise<void> {
    isWorking = true;
    while (jobs.length > 0) {
      await fill();
      const batch: Job[] = [];
      while (batch.length < mostImages) {
        const job = jobs.shift();
        if (!job) break;
        if (job.signal.aborted) job.reject(cancelled());
        else batch.push(job);
      }
      if (batch.length === 0) continue;
      onBatch?.(batch.length);
      await answer(batch);
    }
    isWorking = false;
  }

  return {
    classify: (crops, signal) =>
      new Promise((resolve, reject) => {
        jobs.push({ crops, signal, resolve, reject });
        if (!isWorking) void work();
      }),
  };
}
