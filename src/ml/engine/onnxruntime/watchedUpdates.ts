import { placeName } from '../../graph/nodePlaces.ts';
import type { Optimizer } from '../../operators/optimizer/optimizer.ts';
import type { ProfileObserver } from '../engine.ts';

/** Updates in place whose first ones are timed. */
export interface WatchedUpdates {
  /** Makes an update. */
  readonly run: (update: () => Promise<void>) => Promise<void>;
  /** Tells the observer of what was seen, if it has not heard of it. */
  readonly end: () => void;
}

/** The observer hears of the updates once it has enough of them, as of a model's runs: no model makes them. */
export function watchedUpdates({ kind }: Optimizer, observer: ProfileObserver): WatchedUpdates {
  const runs: { moment: number; seconds: number }[] = [];
  let watching = true;
  const end = (unwatchedFrom?: number) => {
    if (!watching) return;
    watching = false;
    const counted = runs.slice(runs.length > observer.warmup ? observer.warmup : 0);
    if (counted.length === 0) return;
    const seconds = counted.reduce((sum, run) => sum + run.seconds, 0) / counted.length;
    const node = placeName(`${kind}Update`, { layer: 'joined', phase: 'update' });
    observer.seen({
      purpose: 'update in place',
      batchSize: 0,
      runs: counted,
      unwatchedFrom,
      kernels: [{ node, kernel: kind, provider: 'WebAssembly', seconds, shapes: '' }],
      peakBytes: 0,
    });
  };
  return {
    run: async (update) => {
      const moment = observer.now();
      if (observer.enough()) end(moment);
      const began = performance.now();
      await update();
      if (!watching) return;
      runs.push({ moment, seconds: (performance.now() - began) / 1000 });
      if (runs.length === observer.runs) end(moment + 1);
    },
    end: () => end(),
  };
}
