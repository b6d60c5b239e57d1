import type { Batch, Loader } from '../../data/loader.ts';
import { mixBatch, type SeededMixing } from '../../data/mixBatch.ts';
import type { Feeds } from '../../engine/engine.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { mapAhead } from '../loop/mapAhead.ts';
import type { FeatureStore } from './featureStore.ts';
import type { FrozenPart } from './frozenPart.ts';
import { joinColumns, layoutOf, type RowLayout, splitColumns } from './joinedRows.ts';

/** A batch as the training step takes it. */
export interface ReadyBatch {
  /** Position in the epoch. */
  readonly index: number;
  /** Inputs of `RunNetwork.training` but for masks. */
  readonly feeds: Feeds;
  /** Class indices, `[N]`. */
  readonly labels: Int32Array;
  /** Share of the own class in each target, where images are mixed with their neighbours; all without it. */
  readonly ownShare?: number;
}

/** The batches of an epoch from one of them on, each made while the one before is in use. */
export type ReadyBatches = (epoch: number, fromBatch: number) => AsyncIterable<ReadyBatch>;

/** Batches whose images all go through the frozen part, mixed before where `mixing` says so. */
export function freshBatches(loader: Loader, frozen: FrozenPart, mixing?: SeededMixing): ReadyBatches {
  const prepare = async (epoch: number, { index, images, labels }: Batch): Promise<ReadyBatch> => {
    const mix = mixing && mixBatch(images, mixing, { epoch, index });
    return { index, labels, feeds: await frozen.feeds(images), ...(mix ? { ownShare: mix.own } : {}) };
  };
  return (epoch, fromBatch) => mapAhead(loader.epoch(epoch, fromBatch), (batch) => prepare(epoch, batch));
}

/**
 * Batches of which each view of an image is loaded and goes through the frozen part once, when it first comes up; from
 * then on the store has what came of it. The same batches as `freshBatches` makes, in the same order.
 */
export function keptBatches(loader: Loader, frozen: FrozenPart, store: FeatureStore): ReadyBatches {
  let layout: RowLayout | undefined;
  const prepare = async (view: number, batch: Batch): Promise<ReadyBatch> => {
    const fresh = batch.indices.length > 0 ? await frozen.feeds(batch.images) : new Map<string, Tensor>();
    if (fresh.size > 0) layout ??= layoutOf(fresh);
    if (!layout) throw new Error('features are kept of which nothing was computed');
    const matrix = joinColumns(fresh, batch.indices.length, layout);
    const { width } = layout;
    for (const [row, place] of batch.places.entries()) {
      await store.keep(view, place, batch.indices[row] ?? 0, matrix.subarray(row * width, (row + 1) * width));
    }
    const { samples, rows } = await gather(view, batch, matrix, width);
    const labels = Int32Array.from(samples, (sample) => loader.samples[sample]?.classIndex ?? -1);
    return { index: batch.index, labels, feeds: splitColumns(rows, samples.length, layout) };
  };

  /** Rows in the order of the places, from the batch itself or from the store; none for what does not decode. */
  const gather = async (view: number, { wanted, places, indices }: Batch, matrix: Float32Array, width: number) => {
    const rowOf = new Map(Array.from(places, (place, row) => [place, row]));
    const present = wanted.filter((place) => rowOf.has(place) || store.has(view, place));
    const rows = new Float32Array(present.length * width);
    const samples = new Uint32Array(present.length);
    for (const [position, place] of present.entries()) {
      const target = rows.subarray(position * width, (position + 1) * width);
      const row = rowOf.get(place);
      if (row === undefined) samples[position] = await store.read(view, place, target);
      else {
        target.set(matrix.subarray(row * width, (row + 1) * width));
        samples[position] = indices[row] ?? 0;
      }
    }
    return { samples, rows };
  };

  return (epoch, fromBatch) => {
    const view = loader.viewOf(epoch);
    const batches = loader.epoch(epoch, fromBatch, (place) => store.has(view, place));
    return mapAhead(batches, (batch) => prepare(view, batch));
  };
}
