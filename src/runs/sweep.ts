import { existsSync } from 'node:fs';
import { type FileHandle, open, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf, userError } from '../protocol/errors.ts';
import {
  standingEvents,
  type Sweep,
  sweepFiles,
  sweepSchema,
  sweepVersion,
  type TrialEvent,
  type TrialLine,
  trialLineSchema,
} from '../protocol/sweep.ts';
import { writeTextAtomically } from './atomicFile.ts';
import { type FileLimit, readBoundedJson, readBoundedText } from './boundedFile.ts';
import { diskError } from './diskError.ts';
import { tryLock } from './lock.ts';
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

/** What happened to the trials of a sweep, in order, as far as it holds (`standingEvents`). A line that is cut short or is no event of this version is passed over. */
export async function readTrialEvents(folder: string): Promise<TrialEvent[]> {
  const file = join(folder, sweepFiles.trials);
  if (!existsSync(file)) return [];
  const lines = (await readBoundedText(file, limit)).split('\n').flatMap((line): TrialLine[] => {
    try {
      return [trialLineSchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
  return standingEvents(lines);
}

/** The end of `trials.jsonl`, of which there is one writer: whoever has the lock of the sweep. */
export interface TrialLog {
  /** Throws a user error where the disk refuses. */
  readonly add: (event: UntimedTrialEvent) => Promise<TrialEvent>;
  readonly rename: (trial: number, run: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens the list of events to be continued. A line that a killed process left half is ended. */
export async function openTrialLog(folder: string): Promise<TrialLog> {
  const file = join(folder, sweepFiles.trials);
  const handle = await open(file, 'a+');
  if (await endsInTheMiddle(handle)) await handle.appendFile('\n');
  const write = async (line: TrialLine) => {
    try {
      await handle.appendFile(`${JSON.stringify(line)}\n`);
      await handle.datasync();
    } catch (error) {
      throw diskError(error, folder);
    }
  };
  const time = () => new Date().toISOString();
  return {
    add: async (event) => {
      const timed: TrialEvent = { ...event, time: time() };
      await write(timed);
      return timed;
    },
    rename: (trial, run) => write({ event: 'renamed', trial, run, time: time() }),
    close: () => handle.close(),
  };
}

/**
 * Renames the run of a trial by `rename`, so that the sweep in `folder` knows it by its new name. Throws a user error where a
 * process works at the sweep, which would train the trial anew.
 */
export async function renameTrialRun(
  folder: string,
  { before, after }: { readonly before: string; readonly after: string },
  rename: () => Promise<void>,
): Promise<void> {
  const lock = await tryLock(join(folder, sweepFiles.lock));
  if (!lock)
    throw userError(`The sweep ${basename(folder)} is at work: rename its runs when it has ended, or stop it first.`);
  try {
    const begun = (await readTrialEvents(folder)).find((event) => event.event === 'begun' && event.run === before);
    await rename();
    if (!begun) return;
    const log = await openTrialLog(folder);
    await log.rename(begun.trial, after).finally(log.close);
  } finally {
    await lock.release();
  }
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
