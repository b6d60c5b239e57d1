import { Worker } from 'node:worker_threads';
import { cancelled, userError } from '../../protocol/errors.ts';
import { workerScript } from '../data/workerScript.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import type { LayoutTask } from './mapLayout.ts';
import type { MapAnswer } from './mapWorker.ts';
import { nearestNeighbours, unitRows } from './neighbours.ts';
import type { FeatureRows } from './softmaxHead.ts';

export interface MapOptions {
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Hears how many epochs of the layout are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** UMAP's usual number of neighbours, without the row itself; and fewest rows that a map is of. */
const [usualNeighbours, fewest] = [14, 8];

/**
 * A map of features: places `[rows, 2]` in the square from 0 to 1, near for rows that are alike; NaN for rows that `kept`
 * does not name. Computed in a thread of its own. The same features in the same order of `kept` and the same seed give the
 * same map. Throws a user error for fewer than 8 rows, and a cancellation once `signal` is aborted.
 */
export async function mapFeatures(
  rows: FeatureRows,
  kept: readonly number[],
  placement: Placement,
  { seed, signal, onProgress }: MapOptions,
): Promise<Float32Array> {
  const { width, features } = rows;
  const all = features.length / width;
  if (kept.length < fewest) throw userError(`A map is of ${fewest} images or more, and there are ${kept.length}.`);
  const unit = unitRows(features, width, kept);
  const count = Math.min(usualNeighbours, kept.length - 1);
  const found = await nearestNeighbours({ width, features: unit }, () => true, count, placement, signal);
  const task = { width, unit, count, neighbours: found.rows, cosines: found.cosines, seed };
  const places = fitted(await layOutAside(task, signal, onProgress));
  const map = new Float32Array(2 * all).fill(Number.NaN);
  kept.forEach((row, at) => map.set(places.subarray(2 * at, 2 * at + 2), 2 * row));
  return map;
}

function layOutAside(
  task: LayoutTask,
  signal: AbortSignal | undefined,
  onProgress: MapOptions['onProgress'],
): Promise<Float32Array> {
  if (signal?.aborted) throw cancelled();
  const worker = new Worker(workerScript('mapWorker'), { execArgv: [], workerData: task });
  return new Promise<Float32Array>((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(cancelled()), { once: true });
    worker.on('message', (answer: MapAnswer) => {
      if ('places' in answer) resolve(answer.places);
      else onProgress?.(answer.done, answer.total);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`the thread of the map ended with code ${code}`)));
  }).finally(() => worker.terminate());
}

/** Places moved and shrunk into the square from 0 to 1, both axes alike. */
function fitted(places: Float32Array): Float32Array {
  const [low, high] = [
    [Infinity, Infinity],
    [-Infinity, -Infinity],
  ];
  places.forEach((value, at) => {
    const axis = at % 2;
    low[axis] = Math.min(low[axis] ?? 0, value);
    high[axis] = Math.max(high[axis] ?? 0, value);
  });
  const [left = 0, top = 0] = low;
  const [right = 0, bottom = 0] = high;
  const side = Math.max(right - left, bottom - top) || 1;
  const margins = [(side - (right - left)) / 2, (side - (bottom - top)) / 2];
  return places.map((value, at) => (value - (low[at % 2] ?? 0) + (margins[at % 2] ?? 0)) / side);
}
