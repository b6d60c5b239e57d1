import { type FileHandle, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { codeOf, userError } from '../protocol/errors.ts';
import { runFiles } from '../protocol/runRecord.ts';
import { trainingEventSchema, type TrainingEvent } from '../protocol/trainingEvents.ts';
import { lineLimit, openRegularFile } from './boundedFile.ts';

/** Some of the events of a run, in order. */
export interface EventsPart {
  readonly events: readonly TrainingEvent[];
  /** Byte after the last whole line: where to read on. */
  readonly next: number;
  /** The file has become shorter than it was and is told from its beginning: what was told before is no longer true. */
  readonly anew: boolean;
}

/** Bytes that are read and parsed before others get their turn: some ten milliseconds. */
const partBytes = 256 * 1024;
const lineFeed = 0x0a;

/**
 * The events in the `metrics.jsonl` of a run's folder from byte `from` on, part by part; no more than a part is held.
 * None where there is no such file. A last line that is still being written is left out; a line that is no event of this
 * version is passed over. Throws a user error where the file is no ordinary one, or a line is longer than any event.
 */
export async function* readEvents(folder: string, from = 0): AsyncGenerator<EventsPart> {
  const file = join(folder, runFiles.metrics);
  for await (const { lines, next, anew } of readLines(file, from)) {
    yield { events: lines.toString('utf8').split('\n').flatMap(parseEvent), next, anew };
  }
}

interface LinesPart {
  /** Whole lines, each with its line feed; valid until the next part is asked for. */
  readonly lines: Buffer;
  readonly next: number;
  readonly anew: boolean;
}

async function* readLines(file: string, from: number): AsyncGenerator<LinesPart> {
  const handle = await openRegularFile(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return;
  try {
    const { size } = await handle.stat();
    const anew = size < from;
    if (anew) yield { lines: Buffer.alloc(0), next: 0, anew };
    yield* linesBetween(handle, file, anew ? 0 : from, size);
  } finally {
    await handle.close();
  }
}

async function* linesBetween(handle: FileHandle, file: string, from: number, to: number): AsyncGenerator<LinesPart> {
  let next = from;
  let buffer = Buffer.allocUnsafe(partBytes);
  while (next < to) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - next), next);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(lineFeed) + 1;
    next += end;
    if (end > 0) yield { lines: buffer.subarray(0, end), next, anew: false };
    if (bytesRead < buffer.length) return;
    // A line longer than a part, as pinned predictions can be.
    if (end === 0) buffer = Buffer.allocUnsafe(longerThan(buffer.length, file, next));
    await nextTurn();
  }
}

/** The next larger buffer for a line that does not fit into one of `bytes`. Throws where no event is that long. */
function longerThan(bytes: number, file: string, start: number): number {
  if (bytes <= lineLimit.bytes) return bytes * 2;
  const limit = lineLimit.bytes / 1024;
  throw userError(`${file} has a line of more than ${limit} kB at byte ${start}, which is not an event: cut the file there.`);
}

/**
 * The curve of a run as one line of steps, up to `last`: its steps, validations and pinned predictions. A run that was
 * broken off and resumed has the steps between its checkpoint and the break twice; what a later `start` takes back is left
 * out. Part by part, and read twice for that. Throws as `readEvents` does.
 */
export async function* readCurve(folder: string, last: number): AsyncGenerator<readonly TrainingEvent[]> {
  const starts: number[] = [];
  for await (const { lines } of readLines(join(folder, runFiles.metrics), 0)) {
    // Of millions of lines only few are looked at closely.
    const begin = (line: string) => (line.startsWith('{"event":"start"') ? parseEvent(line) : []);
    for (const event of lines.toString('utf8').split('\n').flatMap(begin)) if ('step' in event) starts.push(event.step);
  }
  /** The last step that counts of those before each start: the least at which a later one begins. */
  const limits = [...starts];
  for (let index = starts.length - 1; index >= 0; index--) {
    limits[index] = Math.min(starts[index] ?? last, limits[index + 1] ?? last);
  }
  let passed = 0;
  for await (const { events } of readEvents(folder)) {
    yield events.filter((event) => {
      if (event.event === 'start') passed++;
      const isCurve = event.event === 'step' || event.event === 'validation' || event.event === 'pinned';
      return isCurve && event.step <= (limits[passed] ?? last);
    });
  }
}

/** A line that is no event of this version is passed over. */
function parseEvent(line: string): TrainingEvent[] {
  if (line === '') return [];
  try {
    const result = trainingEventSchema.safeParse(JSON.parse(line));
    return result.success ? [result.data] : [];
  } catch {
    return [];
  }
}

/** Where a file of events ends. */
export interface EventsEnd {
  /** Whole lines. */
  readonly lines: number;
  /** Byte after the last of them. */
  readonly end: number;
  /** Bytes of the file: more than `end` where a crash cut the last line off. */
  readonly size: number;
}

/** Counts the whole lines of `metrics.jsonl`; none where it is not there. Throws as `readEvents` does. */
export async function findEventsEnd(folder: string): Promise<EventsEnd> {
  const file = join(folder, runFiles.metrics);
  let [count, end] = [0, 0];
  for await (const { lines, next } of readLines(file, 0)) {
    for (let at = lines.indexOf(lineFeed); at >= 0; at = lines.indexOf(lineFeed, at + 1)) count++;
    end = next;
  }
  const { size } = (await stat(file).catch(() => undefined)) ?? { size: end };
  return { lines: count, end, size };
}
