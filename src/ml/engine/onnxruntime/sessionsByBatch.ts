import type { Tensor } from '../../graph/tensor.ts';
import type { Feeds, InferenceModel } from '../engine.ts';
import { loadRuntime } from './loadRuntime.ts';
import { fromRuntime, guarded, toRuntime } from './session.ts';
import type { Session } from './sessionTypes.ts';

async function runSession(session: Session, feeds: Feeds, device: string): Promise<Map<string, Tensor>> {
  const runtime = loadRuntime();
  const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, toRuntime(runtime, tensor)]));
  const results = await guarded(device, () => session.run(inputs, session.outputNames));
  return new Map(Object.entries(results).map(([name, value]) => [name, fromRuntime(value)]));
}

/** Batch size of a run: the first dimension of its first input. */
export function batchOf(feeds: Feeds): number {
  for (const { shape } of feeds.values()) return shape[0] ?? 1;
  throw new Error('a run needs at least one input');
}

/** A model of a session for each batch size, made by `open` when it first comes up. */
export function sessionsByBatch(device: string, open: (batchSize: number) => Promise<Session>): InferenceModel {
  const sessions = new Map<number, Promise<Session>>();
  let disposed = false;
  return {
    async run(feeds) {
      if (disposed) throw new Error('the model has been disposed of');
      const batchSize = batchOf(feeds);
      const session = sessions.get(batchSize) ?? open(batchSize);
      sessions.set(batchSize, session);
      return runSession(await session, feeds, device);
    },
    async dispose() {
      disposed = true;
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const session of opened) if (session.status === 'fulfilled') await session.value.release();
    },
  };
}

/** A model of one session, which takes any batch size. */
export function sessionForAll(device: string, session: Session): InferenceModel {
  return { run: (feeds) => runSession(session, feeds, device), dispose: () => session.release() };
}
