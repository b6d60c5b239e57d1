import { joinRows } from '../graph/joinRows.ts';
import { sliceRows } from '../graph/sliceRows.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Feeds } from './engine.ts';

/** Rows `[start, end)` of every feed. */
export function sliceFeeds(feeds: Feeds, start: number, end: number): Feeds {
  return new Map([...feeds].map(([name, tensor]) => [name, sliceRows(tensor, start, end)]));
}

/** The same values in memory of their own, for keeping: what is fed may be written over after a run. */
export function copyFeeds(feeds: Feeds): Feeds {
  return new Map([...feeds].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() } as Tensor]));
}

/** The results of parts of a batch, in order, as those of the whole. */
export function joinResults(parts: readonly ReadonlyMap<string, Tensor>[]): Map<string, Tensor> {
  const names = [...(parts[0]?.keys() ?? [])];
  return new Map(names.map((name) => [name, joinRows(parts.flatMap((part) => part.get(name) ?? []))]));
}
