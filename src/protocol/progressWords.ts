import { duration } from './duration.ts';
import { megabytes } from './megabytes.ts';

/** How far a work is: `total` is 0 or absent if nobody knows how much there is. */
export interface Progress {
  readonly what: string;
  readonly done: number;
  readonly total?: number | undefined;
  /** What is counted where it is bytes: then they are told too. */
  readonly unit?: 'bytes' | undefined;
}

/** Milliseconds that a work has to take before the time that is left can be told. */
const firstEstimate = 1000;

/**
 * Returns what says how far a work is, each time that there is news: `Testing: 24 %, 8 s left`, or, of bytes,
 * `Downloading: 24 %, 312/1280 MB, 8 s left`. The time left is told by
 * how fast this part of the work went so far. `now` is in milliseconds. `left` says a time that is left, as `8 s`.
 */
export function createProgressWords(
  left = (time: string) => `${time} left`,
): (progress: Progress, now?: number) => string {
  let part: { readonly what: string; readonly done: number; readonly began: number } | undefined;
  return ({ what, done, total = 0, unit }, now = Date.now()) => {
    if (part?.what !== what || done < part.done) part = { what, done, began: now };
    if (total <= 0) return what;
    const elapsed = now - part.began;
    const fresh = done - part.done;
    const bytes = unit === 'bytes' ? [`${Math.round(done / 1e6)}/${megabytes(total)}`] : [];
    const far = [`${what}: ${Math.floor((100 * done) / total)} %`, ...bytes].join(', ');
    if (elapsed < firstEstimate || fresh <= 0 || done >= total) return far;
    return `${far}, ${left(duration((elapsed / fresh / 1000) * (total - done)))}`;
  };
}
