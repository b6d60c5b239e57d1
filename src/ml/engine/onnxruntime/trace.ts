import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Graph } from '../../graph/graph.ts';
import { valuePlaces } from '../../graph/nodePlaces.ts';
import type { KernelTime, ProfileObserver, SessionProfile } from '../engine.ts';

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
export type TraceEvent = z.infer<typeof eventSchema>;

/** The events of the one trace in a folder, those that are of another form left out. */
export async function readTraceFile(folder: string): Promise<TraceEvent[]> {
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

/** What the runs of a trace were, and how many of them do not count. */
interface TraceWatch extends Pick<SessionProfile, 'purpose' | 'batchSize' | 'unwatchedFrom'> {
  readonly observer: Pick<ProfileObserver, 'warmup'>;
  readonly graph?: Graph;
}

/** What a trace says of the runs that count: all but the warm-up, or all where there was no more than that. */
export function readTrace(
  events: readonly TraceEvent[],
  moments: readonly number[],
  watch: TraceWatch,
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
