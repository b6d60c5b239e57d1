import { availableParallelism } from 'node:os';
import type { Tensor } from '../../graph/tensor.ts';
import type { Feeds, InferenceModel } from '../engine.ts';
import { joinResults, sliceFeeds } from '../feedRows.ts';
import { batchOf } from './sessionsByBatch.ts';

/** More images at once than this fill no more threads. */
const most = 8;

/**
 * The same model, through which large batches of images go few at a time: an image a thread. Measured on two cores,
 * two at once are 1.65 times as fast as 32 (DenseNet-169), presumably because the maps in between stay in the processor's
 * cache: only batch sizes were timed.
 * Rows of features are left together: there the weights are what is large. So many runs as there are `lanes` go on at the
 * same time, where the model's sessions let them.
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
      if (rows <= count || !holdsImages(feeds)) return model.run(feeds);
      const starts = Array.from({ length: Math.ceil(rows / count) }, (_, part) => part * count);
      const left = starts.entries();
      const parts: Map<string, Tensor>[] = [];
      const work = async () => {
        for (const [part, start] of left) {
          signal?.throwIfAborted();
          parts[part] = await model.run(sliceFeeds(feeds, start, Math.min(rows, start + count)));
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

function holdsImages(feeds: Feeds): boolean {
  return [...feeds.values()].every(({ shape }) => shape.length === 4);
}
