import { type FileHandle, open, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, userError } from '../protocol/errors.ts';
import { type Sweep, sweepFiles, sweepSchema, sweepVersion, type TrialEvent, trialEventSchema } from '../protocol/sweep.ts';
import { writeTextAtomically } from './atomicFile.ts';
import { type FileLimit, readBoundedJson, readBoundedText } from './boundedFile.ts';
import { diskError } from './diskError.ts';
import { parseVersioned } from './versionedJson.ts';

const limit: FileLimit = { what: 'the record of a sweep', bytes: 64 * 1024 * 1024 };

/** An event before it has its time. */
export type UntimedTrialEvent = TrialEvent extends infer Event
  ? Event extends TrialEvent
    ? Omit<Event, 'time'>
    : never
  : never;

/** Whether a folder says that it is a sweep, readable or not. */
export function isSweep(folder: string): boolean {
  return existsSync(join(folder, sweepFiles.record));
}

/** The sweep in a folder. Throws a user error where there is none, or none that this version understands. */
export async function readSweep(folder: string): Promise<Sweep> {
  const file = join(folder, sweepFiles.record);
  const content = await readBoundedJson(file, limit).catch((error: unknown) => {
    if (isSweep(folder)) throw error;
    throw userError(`${folder} is not a sweep: it has no ${sweepFiles.record}. Name the folder of a sweep.`, error);
  });
  return parseVersioned(file, content, {
    version: sweepVersion,
    schema: sweepSchema,
    use: 'continue this sweep',
    misfit: 'is not the record of a sweep',
    remedy: 'restore or delete it',
  });
}

/** Writes `sweep.json` whole. Throws a user error where the disk refuses. */
export function writeSweep(folder: string, sweep: Sweep): Promise<void> {
  return writeTextAtomically(join(folder, sweepFiles.record), `${JSON.stringify(sweep, undefined, 1)}\n`);
}

/** What happened to the trials of a sweep, in order. A line that is cut short or is no event of this version is passed over. */
export async function readTrialEvents(folder: string): Promise<TrialEvent[]> {
  const file = join(folder, sweepFiles.trials);
  if (!existsSync(file)) return [];
  return (await readBoundedText(file, limit)).split('\n').flatMap((line) => {
    try {
      return [trialEventSchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

/** The end of `trials.jsonl`, of which there is one writer. */
export interface TrialLog {
  /** Throws a user error where the disk refuses. */
  readonly add: (event: UntimedTrialEvent) => Promise<TrialEvent>;
  readonly close: () => Promise<void>;
}

/** Opens the list of events to be continued. A line that a killed process left half is ended. */
export async function openTrialLog(folder: string): Promise<TrialLog> {
  const file = join(folder, sweepFiles.trials);
  const handle = await open(file, 'a+');
  if (await endsInTheMiddle(handle)) await handle.appendFile('\n');
  return {
    add: async (event) => {
      const timed: TrialEvent = { ...event, time: new Date().toISOString() };
      try {
        await handle.appendFile(`${JSON.stringify(timed)}\n`);
        await handle.datasync();
      } catch (error) {
        throw diskError(error, folder);
      }
      return timed;
    },
    close: () => handle.close(),
  };
}

async function endsInTheMiddle(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last.toString() !== '\n';
}

/** Asks the process of a sweep to end; it looks every second. */
export async function requestStop(folder: string): Promise<void> {
  await writeFile(join(folder, sweepFiles.stop), '');
}

/** Whether somebody asked the sweep to end since that was last taken note of. */
export function stopIsRequested(folder: string): boolean {
  return existsSync(join(folder, sweepFiles.stop));
}

export async function forgetStop(folder: string): Promise<void> {
  await rm(join(folder, sweepFiles.stop), { force: true }).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}
