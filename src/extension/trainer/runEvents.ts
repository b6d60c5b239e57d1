import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runFiles } from '../../protocol/runRecord.ts';
import { trainingEventSchema, type TrainingEvent } from '../../protocol/trainingEvents.ts';

/** The events of one run as its `metrics.jsonl` has them, which is the truth; read on as the file grows. */
export interface RunEvents {
  readonly events: readonly TrainingEvent[];
  /** Reads what is new and returns when all that lay there has been told. Calls at the same time share one reading. */
  readonly readOn: () => Promise<void>;
  /** `from` is the index of the first of `events`; 0 begins anew, as when the file was replaced. */
  readonly onEvents: (listener: EventsListener) => () => void;
}

export type EventsListener = (from: number, events: readonly TrainingEvent[]) => void;

/** Bytes that are read and parsed before others get their turn: some ten milliseconds. */
const partBytes = 256 * 1024;
const lineFeed = 0x0a;

export function createRunEvents(folder: string): RunEvents {
  const file = join(folder, runFiles.metrics);
  const listeners = new Set<EventsListener>();
  let events: TrainingEvent[] = [];
  /** Byte after the last whole line that was read. */
  let offset = 0;
  let reading: Promise<void> | undefined;
  let again = false;

  const tell = (from: number): void => {
    const news = events.slice(from);
    for (const listener of listeners) listener(from, news);
  };
  const take = (lines: Buffer): void => {
    const from = events.length;
    for (const line of lines.toString('utf8').split('\n')) {
      const event = parseEvent(line);
      if (event !== undefined) events.push(event);
    }
    offset += lines.length;
    if (events.length > from) tell(from);
  };
  const readAll = async (): Promise<void> => {
    do {
      again = false;
      await eachPart(file, () => offset, {
        shrunk: () => {
          events = [];
          offset = 0;
          tell(0);
        },
        lines: take,
      });
    } while (again as boolean);
  };
  return {
    get events() {
      return events;
    },
    readOn: () => {
      again = true;
      reading ??= readAll().finally(() => (reading = undefined));
      return reading;
    },
    onEvents: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Hands over the whole lines of a file from a byte on, part by part. A file that is not there has none. */
async function eachPart(
  file: string,
  offset: () => number,
  on: { readonly shrunk: () => void; readonly lines: (lines: Buffer) => void },
): Promise<void> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return;
  try {
    if ((await handle.stat()).size < offset()) on.shrunk();
    for (let size = partBytes; ;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, offset());
      const end = buffer.subarray(0, bytesRead).lastIndexOf(lineFeed) + 1;
      if (end > 0) on.lines(buffer.subarray(0, end));
      if (bytesRead < size) return;
      // A line longer than a part, as pinned predictions can be.
      size = end === 0 ? size * 2 : partBytes;
      await nextTurn();
    }
  } finally {
    await handle.close();
  }
}

/** A line that is no event of this version is passed over. */
function parseEvent(line: string): TrainingEvent | undefined {
  if (line === '') return undefined;
  try {
    return trainingEventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
