import type { SplitName } from '../../protocol/dataReport.ts';
import { createRandom, permutation } from '../graph/random.ts';

export interface SplitShares {
  /** Shares of a class's images, 0 to 1. */
  readonly validShare: number;
  readonly testShare: number;
  readonly seed: number;
}

/**
 * Splits the images of one class. A class of two keeps one in train, a class of three has one in every split whose share
 * is not 0; beyond that the shares are rounded. The draw depends on the seed, the class's folder and its files alone.
 */
export function splitClass(
  folder: string,
  files: readonly string[],
  { validShare, testShare, seed }: SplitShares,
): Record<SplitName, string[]> {
  const { valid, test } = splitCounts(files.length, validShare, testShare);
  const splits: Record<SplitName, string[]> = { train: [], valid: [], test: [] };
  const order = permutation(files.length, createRandom(seed, 'split', folder));
  const chosen = new Map([...order].map((index, rank) => [index, rank]));
  for (const [index, file] of files.entries()) {
    const rank = chosen.get(index) ?? 0;
    splits[rank < valid ? 'valid' : rank < valid + test ? 'test' : 'train'].push(file);
  }
  return splits;
}

/** How many of `count` images go to validation and to testing. */
export function splitCounts(count: number, validShare: number, testShare: number): { valid: number; test: number } {
  const wanted = (share: number) => (share > 0 ? Math.max(1, Math.round(count * share)) : 0);
  const valid = Math.min(wanted(validShare), Math.max(0, count - 1));
  // Train keeps one, and validation goes before testing where there are too few for both.
  const test = Math.min(wanted(testShare), Math.max(0, count - 1 - valid));
  const crowded = valid > 1 && test === 0 && testShare > 0 && count >= 3;
  return crowded ? { valid: count - 2, test: 1 } : { valid, test };
}
