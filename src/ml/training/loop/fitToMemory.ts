import { userError } from '../../../protocol/errors.ts';
import type { Feeds, InferenceModel } from '../../engine/engine.ts';
import { joinResults, sliceFeeds } from '../../engine/feedRows.ts';
import { isOutOfMemory } from '../../engine/outOfMemory.ts';
import type { Tensor } from '../../graph/tensor.ts';

/**
 * A model that runs large batches in parts once the device does not have enough memory for them whole: the part is halved
 * until it fits, and `log` hears of it. Throws a user error where not even one image fits.
 */
export function fitToMemory(model: InferenceModel, log: (message: string) => void): InferenceModel {
  let part = Number.POSITIVE_INFINITY;
  const run = async (feeds: Feeds, signal?: AbortSignal): Promise<Map<string, Tensor>> => {
    const rows = rowsOf(feeds);
    for (;;) {
      try {
        return rows <= part ? await model.run(feeds, signal) : await runParts(model, feeds, part, signal);
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        const tried = Math.min(part, rows);
        if (tried <= 1) throw tooLarge(error);
        part = Math.ceil(tried / 2);
        log(`The device ran out of memory for ${tried} images at once; ${part} at once are run from now on.`);
      }
    }
  };
  return { run, dispose: () => model.dispose() };
}

/** The sentence for a device on which not even one image fits. */
export function tooLarge(cause: unknown): Error {
  return userError(
    'The device does not have enough memory for a single image: use a smaller image size, a smaller network or another device.',
    cause,
  );
}

/** Number of images in feeds. */
export function rowsOf(feeds: Feeds): number {
  const [first] = feeds.values();
  return first?.shape[0] ?? 0;
}

/** Cuts feeds into parts of at most `size` images, in order. */
export function cutFeeds(feeds: Feeds, size: number): Feeds[] {
  const rows = rowsOf(feeds);
  const count = Math.ceil(rows / size);
  return Array.from({ length: count }, (_, index) =>
    sliceFeeds(feeds, index * size, Math.min(rows, (index + 1) * size)),
  );
}

async function runParts(
  model: InferenceModel,
  feeds: Feeds,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Map<string, Tensor>> {
  const results: Map<string, Tensor>[] = [];
  for (const part of cutFeeds(feeds, size)) {
    signal?.throwIfAborted();
    results.push(await model.run(part, signal));
  }
  return joinResults(results);
}
