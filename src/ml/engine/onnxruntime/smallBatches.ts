import { availableParallelism } from 'node:os';
import type { Tensor } from '../../graph/tensor.ts';
import type { Feeds, InferenceModel } from '../engine.ts';
import { joinResults, sliceFeeds } from '../feedRows.ts';
import { batchOf } from './sessionsByBatch.ts';

/** More images at once than this fill no more threads. */
const most = 8;
/** Pixels of a plane that keep a thread busy: of smaller images several go together. */
const pixelsOfThread = 224 ** 2;

/**
 * The same model, through which large batches of images go few at a time: `count` of 224 pixels, an image a thread.
 * Measured on two cores, two at once are up to 1.65 times as fast as 32 (DenseNet-169), presumably because the maps in
 * between stay in the processor's cache: only batch sizes were timed.
 * Of smaller images so many go together as have the same pixels, since each run reads all weights: 64 pixels 1.5 to 1.9,
 * 32 pixels twice as fast as by two. Rows of features are left together: there the weights are what is large. So many
 * runs as there are `lanes` go on at the same time, where the model's sessions let them.
 */
export function inSmallBatches(
  model: InferenceModel,
  count = Math.min(most, availableParallelism()),
  lanes = 1,
): InferenceModel {
  return {
    ...model,
    run: async (feeds, signal) => {
      const rows = batchOf(feeds);
      const together = count * perThread(feeds);
      if (rows <= together || !holdsImages(feeds)) return model.run(feeds);
      const starts = Array.from({ length: Math.ceil(rows / together) }, (_, part) => part * together);
      const left = starts.entries();
      const parts: Map<string, Tensor>[] = [];
      const work = async () => {
        for (const [part, start] of left) {
          signal?.throwIfAborted();
          parts[part] = await model.run(sliceFeeds(feeds, start, Math.min(rows, start + together)));
        }
      };
      const workers = Array.from({ length: lanes }, work);
      // The caller may write over the feeds once this has settled.
      await Promise.allSettled(workers);
      await Promise.all(workers);
      return joinResults(parts);
    },
  };
}

/** Images that have the pixels of one of 224, as the nearest power of two, which batches are made of. */
function perThread(feeds: Feeds): number {
  const pixels = Math.max(1, ...[...feeds.values()].map(({ shape: [, , height = 1, width = 1] }) => height * width));
  return Math.max(1, 2 ** Math.round(Math.log2(pixelsOfThread / pixels)));
}

function holdsImages(feeds: Feeds): boolean {
  return [...feeds.values()].every(({ shape }) => shape.length === 4);
}
