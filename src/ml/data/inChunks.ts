import { cancelled } from '../../protocol/errors.ts';

/**
 * Hands a list to threads in chunks of `size`, as many at a time as there are threads. Throws a cancellation between two
 * chunks once `signal` is aborted.
 */
export async function inChunks<Item>(
  items: readonly Item[],
  {
    size,
    threads,
    signal,
  }: { readonly size: number; readonly threads: number; readonly signal?: AbortSignal | undefined },
  work: (chunk: Item[]) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      if (signal?.aborted) throw cancelled();
      const chunk = items.slice(next, (next += size));
      await work(chunk);
    }
  };
  await Promise.all(Array.from({ length: threads }, worker));
}
