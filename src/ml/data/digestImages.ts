import { splitNames } from '../../protocol/dataReport.ts';
import { createDecodePool } from './decodePool.ts';
import type { DecodePool } from './decodePool.ts';
import { inChunks } from './inChunks.ts';
import type { Dataset, Sample } from './scanDataset.ts';

/** Digests by file; undefined for a file that cannot be read. */
export type DigestsOf = (file: string) => number | undefined;

/** Files that one thread is given at a time. */
const chunkSize = 512;

/** All images of a data set, whatever their split. */
export function samplesOf({ splits }: Pick<Dataset, 'splits'>): Sample[] {
  return splitNames.flatMap((name) => splits[name]);
}

/** Digests all images of a data set in a pool's threads. Throws a cancellation once `signal` is aborted. */
export async function digestImages(dataset: Dataset, pool: DecodePool, signal?: AbortSignal): Promise<DigestsOf> {
  const files = samplesOf(dataset).map(({ file }) => file);
  const digests = new Map<string, number>();
  await inChunks(files, { size: chunkSize, threads: pool.threads, signal }, async (chunk) => {
    const found = await pool.digest(chunk);
    chunk.forEach((file, at) => {
      const digest = found[at] ?? NaN;
      if (!Number.isNaN(digest)) digests.set(file, digest);
    });
  });
  return (file) => digests.get(file);
}

/** The same in threads of its own. */
export async function digestAlone(dataset: Dataset, signal?: AbortSignal): Promise<DigestsOf> {
  const pool = createDecodePool();
  try {
    return await digestImages(dataset, pool, signal);
  } finally {
    await pool.dispose();
  }
}
