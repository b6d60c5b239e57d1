/** Images of more pixels are decoded one at a time in the whole process, since each may take a gigabyte. */
export const largeImagePixels = 24_000_000;

/** A lock that worker threads share; 0 is free. */
export type LargeImageLock = Int32Array<SharedArrayBuffer>;

export function createLargeImageLock(): LargeImageLock {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** Runs `work` while no other thread holds the lock. Blocks the calling thread, so only worker threads may call it. */
export async function withLargeImageLock<Result>(lock: LargeImageLock, work: () => Promise<Result>): Promise<Result> {
  while (Atomics.compareExchange(lock, 0, 0, 1) !== 0) Atomics.wait(lock, 0, 1);
  try {
    return await work();
  } finally {
    Atomics.store(lock, 0, 0);
    Atomics.notify(lock, 0, 1);
  }
}
