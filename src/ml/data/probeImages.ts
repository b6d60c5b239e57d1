import type { DecodePool } from './decodePool.ts';
import { inChunks } from './inChunks.ts';
import type { Dataset } from './scanDataset.ts';
import { countsOf } from './whyUntrainable.ts';
import type { TrainableCounts } from './whyUntrainable.ts';

/** Images that one thread is given at a time. */
const chunkSize = 32;

/**
 * Looks for one readable train image of each class, and for one readable validation image: the first is nearly always
 * one. Counts of readable images are 0 where there is none, and all that were found elsewhere. Throws a cancellation once
 * `signal` is aborted.
 */
export async function probeImages(dataset: Dataset, pool: DecodePool, signal: AbortSignal): Promise<TrainableCounts> {
  const counts = countsOf(dataset);
  const lists: string[][] = counts.classes.map(() => []);
  for (const { file, classIndex } of dataset.splits.train) lists[classIndex]?.push(file);
  lists.push(dataset.splits.valid.map(({ file }) => file));
  const readable = await haveReadable(lists, pool, signal);
  const known = (found: number, at: number) => ({ found, readable: readable.has(at) ? found : 0 });
  return {
    ...counts,
    classes: counts.classes.map((label, at) => ({ ...label, train: known(label.train.found, at) })),
    valid: known(counts.valid.found, counts.classes.length),
  };
}

/** Which of the lists have a file that decodes: the first file of each is tried, then the second of those left, ... */
async function haveReadable(
  lists: readonly (readonly string[])[],
  pool: DecodePool,
  signal: AbortSignal,
): Promise<Set<number>> {
  const found = new Set<number>();
  for (let round = 0; ; round++) {
    const tries = lists.flatMap((files, at) => {
      const file = found.has(at) ? undefined : files[round];
      return file === undefined ? [] : [{ at, file }];
    });
    if (tries.length === 0) return found;
    await inChunks(tries, { size: chunkSize, threads: pool.threads, signal }, async (chunk) => {
      const files = chunk.map(({ file }) => file);
      const inspections = await pool.inspect({ files, decode: true, hash: 'none' });
      chunk.forEach(({ at }, index) => {
        if (inspections[index]?.reason === undefined) found.add(at);
      });
    });
  }
}
