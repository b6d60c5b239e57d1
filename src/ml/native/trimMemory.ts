import process from 'node:process';
import { loadKoffi } from './koffi.ts';

let trim: (() => void) | undefined;

/**
 * Gives memory that was freed back to the system where the C library keeps it until it is asked: glibc, which has a heap for
 * each thread. Does nothing elsewhere.
 */
export function trimMemory(): void {
  trim ??= findTrim();
  trim();
}

function findTrim(): () => void {
  if (process.platform !== 'linux') return nothing;
  try {
    const mallocTrim = loadKoffi().load('libc.so.6').func('int malloc_trim(size_t)') as (kept: number) => number;
    return () => void mallocTrim(0);
  } catch {
    // Another C library.
    return nothing;
  }
}

function nothing(): void {
  return undefined;
}
