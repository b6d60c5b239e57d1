import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import * as z from 'zod';
import type { KernelTime, ProfileObserver, SessionProfile } from '../engine.ts';
import { valuePlaces } from '../../graph/nodePlaces.ts';
import type { Session, SessionWatch } from './session.ts';

type Watch = SessionWatch & { readonly observer: ProfileObserver };

/**
 * A session whose first runs ONNX Runtime times kernel by kernel, until the observer has enough; then, or when it is
 * released before, the observer hears of them, and it runs on as any other.
 */
export async function profiledSession(
  create: (extra: InferenceSession.SessionOptions) => Promise<InferenceSession>,
  watch: Watch,
): Promise<Session> {
  const { observer } = watch;
  const folder = await mkdtemp(join(observer.folder, 'trace-'));
  const session = await create({ enableProfiling: true, profileFilePrefix: join(folder, 'trace') });
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
    run: async (feeds, fetches) => {
      const moment = observer.now();
      if (watching && observer.enough()) await finish(moment);
      if (!watching) return session.run(feeds, fetches);
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

const shapeSchema = z.array(z.record(z.string(), z.array(z.number())));

/** The events of ONNX Runtime's trace that we read; times are in microseconds. */
const eventSchema = z.object({
  cat: z.string(),
  name: z.string(),
  ts: z.number(),
  dur: z.number(),
  args: z.object({
    op_name: z.string().optional(),
    provider: z.string().optional(),
    output_type_shape: shapeSchema.optional().catch(undefined),
    mem_in_use_peak: z.string().optional(),
  }),
});
type TraceEvent = z.infer<typeof eventSchema>;

async function readTraceFile(folder: string): Promise<TraceEvent[]> {
  const [file] = await readdir(folder);
  if (file === undefined) throw new Error('ONNX Runtime wrote no profile');
  const events = z.array(z.unknown()).parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
  return events.flatMap((event) => {
    const parsed = eventSchema.safeParse(event);
    return parsed.success ? [parsed.data] : [];
  });
}

const kernelEnding = '_kernel_time';

/** ONNX Runtime's optimizer names a node that it makes after the value that it gives: put our name before it. */
function placed(node: string, places: ReadonlyMap<string, string> | undefined): string {
  const place = places?.get(node.replace(/_nchwc$/u, ''));
  return place === undefined ? node : `${place}:${node}`;
}

/**
 * Seconds a run by node on a graphics card, where the trace has such times: there a node's own time is only that of its
 * being handed over. Their clock is another, so the runs that do not count are the first of as many equal parts.
 */
function cardSeconds(events: readonly TraceEvent[], runs: number, first: number): Map<string, number> | undefined {
  const kernels = events.filter(({ cat }) => cat === 'Api');
  if (kernels.length === 0) return undefined;
  const seconds = new Map<string, number>();
  for (const { name, dur } of kernels.slice((first * kernels.length) / runs)) {
    const [node = ''] = name.split('&');
    seconds.set(node, (seconds.get(node) ?? 0) + dur / 1e6 / (runs - first));
  }
  return seconds;
}

/** What a trace says of the runs that count: all but the warm-up, or all where there was no more than that. */
function readTrace(
  events: readonly TraceEvent[],
  moments: readonly number[],
  watch: Watch & Pick<SessionProfile, 'unwatchedFrom'>,
): SessionProfile {
  const { observer, purpose, batchSize, unwatchedFrom } = watch;
  const runs = events.filter(({ name }) => name === 'model_run').sort((a, b) => a.ts - b.ts);
  const first = runs.length > observer.warmup ? observer.warmup : 0;
  const counted = runs.slice(first);
  const begin = counted[0]?.ts ?? 0;
  const kernels = new Map<string, KernelTime>();
  const places = watch.graph && valuePlaces(watch.graph);
  let peakBytes = 0;
  for (const { cat, name, ts, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith(kernelEnding) || ts < begin) continue;
    const node = name.slice(0, -kernelEnding.length);
    const { op_name: kernel = '', provider = '' } = args;
    const shapes = (args.output_type_shape ?? []).flatMap((output) => Object.values(output).map((s) => s.join('x')));
    const before = kernels.get(node)?.seconds ?? 0;
    const seconds = before + dur / 1e6 / counted.length;
    kernels.set(node, { node: placed(node, places), kernel, provider, seconds, shapes: shapes.join(', ') });
    peakBytes = Math.max(peakBytes, Number(args.mem_in_use_peak ?? 0));
  }
  const onCard = cardSeconds(events, runs.length, first);
  return {
    purpose,
    batchSize,
    unwatchedFrom,
    runs: counted.map(({ dur }, index) => ({ moment: moments[first + index] ?? 0, seconds: dur / 1e6 })),
    kernels: [...kernels].map(([node, kernel]) => ({ ...kernel, seconds: onCard?.get(node) ?? kernel.seconds })),
    peakBytes,
  };
}
