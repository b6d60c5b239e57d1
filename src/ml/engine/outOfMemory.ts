/** Thrown by an engine whose device does not have enough memory for a run; a smaller batch may fit. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

export function outOfMemory(device: string, cause: unknown): OutOfMemoryError {
  return new OutOfMemoryError(`${device} does not have enough memory for this batch`, { cause });
}

/** Whether a failure means that a smaller batch may fit. */
export function isOutOfMemory(error: unknown): error is OutOfMemoryError {
  return error instanceof OutOfMemoryError;
}

/** Whether a native library's message speaks of memory that it could not get; cuBLAS and cuDNN give constants' names. */
export function speaksOfMemory(message: string): boolean {
  return /failed to allocate|could not allocate|bad_alloc|out of memory|not enough memory|alloc(ation)?[ _]failed|OOM/i.test(
    message,
  );
}
