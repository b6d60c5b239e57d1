import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProfileObserver } from '../engine.ts';
import type { ProfilableSession, Session, SessionWatch } from './sessionTypes.ts';
import { readTrace, readTraceFile } from './trace.ts';

type Watch = SessionWatch & { readonly observer: ProfileObserver };

/**
 * A session whose first runs ONNX Runtime times kernel by kernel, until the observer has enough; then, or when it is
 * released before, the observer hears of them, and it runs on as any other.
 */
export async function profiledSession(
  create: (profilePrefix: string) => Promise<ProfilableSession>,
  watch: Watch,
): Promise<Session> {
  const { observer } = watch;
  const folder = await mkdtemp(join(observer.folder, 'trace-'));
  const session = await create(join(folder, 'trace'));
  const moments: number[] = [];
  let watching = true;
  const finish = async (unwatchedFrom?: number) => {
    watching = false;
    session.endProfiling();
    try {
      if (moments.length > 0)
        observer.seen(readTrace(await readTraceFile(folder), moments, { ...watch, unwatchedFrom }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    writesIntoFetches: session.writesIntoFetches ?? false,
    run: async (feeds, fetches, signal) => {
      const moment = observer.now();
      if (watching && observer.enough()) await finish(moment);
      if (!watching) return session.run(feeds, fetches, signal);
      // One that is watched goes on to its end: the trace would have half of it.
      const results = await session.run(feeds, fetches);
      moments.push(moment);
      if (moments.length === observer.runs) await finish(moment);
      return results;
    },
    release: async () => {
      if (watching) await finish();
      await session.release();
    },
  };
}
