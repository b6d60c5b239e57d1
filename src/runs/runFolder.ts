import { closeSync, constants, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { lstat, mkdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { codeOf, userError } from '../protocol/errors.ts';
import { runFiles, runRecordVersion, type RunRecord } from '../protocol/runRecord.ts';
import type { TrainingEvent } from '../protocol/trainingEvents.ts';
import { syncFolder } from './atomicFile.ts';
import { nonBlocking } from './boundedFile.ts';
import { checkpointMetadataIn, sweepResumeFiles } from './checkpointFiles.ts';
import { diskError } from './diskError.ts';
import { findEventsEnd } from './events.ts';
import { type HeldLock, tryLock } from './lock.ts';
import { checkRunName } from './name.ts';
import { readRunRecord, writeRunRecord } from './record.ts';
import { isLive, stateOf } from './state.ts';
import { sweepStagedFolders, sweepTemporaryFiles, temporaryName } from './temporaryFiles.ts';

/**
 * A run's folder in the hands of the one process that may write to it. Each writing makes sure that the folder is still
 * that of the run: one that was moved, deleted or replaced is neither made anew nor written into.
 */
export interface RunFolder {
  readonly path: string;
  readonly name: string;
  readonly checkpoints: string;
  /** Lines that lie in `metrics.jsonl`. */
  readonly events: number;
  readonly record: RunRecord;
  /** Appends events to `metrics.jsonl`, at once and in order. Throws a user error where the disk does not take them. */
  append(...events: readonly TrainingEvent[]): void;
  /** Replaces parts of the record and rewrites `run.json` whole. Throws a user error where the disk does not take it. */
  update(changes: Partial<RunRecord>): Promise<void>;
  /** Runs what writes checkpoints: after the events up to here have reached the disk. Removes what it made superfluous. */
  saving<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Lets another process have the folder. */
  readonly close: () => Promise<void>;
}

/**
 * Makes a folder of its own for a new run under `out`: `name`, or `name-2`, `name-3`, ... where that is taken, also by a
 * process that starts at the same moment. It appears at once with its record in it, so that a run that is there at all can
 * be resumed.
 */
export async function createRunFolder(
  out: string,
  name: string,
  record: Omit<RunRecord, 'version' | 'name' | 'updated'>,
): Promise<RunFolder> {
  checkRunName(name);
  const parent = resolve(out);
  try {
    await mkdir(parent, { recursive: true });
    await sweepStagedFolders(parent);
    const staged = temporaryName(join(parent, `.${name}`));
    await mkdir(join(staged, runFiles.checkpoints), { recursive: true });
    try {
      for (let counter = 1; ; counter++) {
        const unique = counter === 1 ? name : `${name}-${counter}`;
        const path = join(parent, unique);
        if (await isThere(path)) continue;
        await writeRunRecord(staged, { ...record, version: runRecordVersion, name: unique, updated: record.created });
        if (!(await moved(staged, path))) continue;
        await syncFolder(parent);
        return await openRunFolder(path);
      }
    } finally {
      await rm(staged, { recursive: true, force: true });
    }
  } catch (error) {
    throw diskError(error, parent);
  }
}

/**
 * Takes a run's folder over to go on in it. What a crash left unfinished is removed. Throws a user error where it is no
 * run's, or where another process still trains in it.
 */
export async function reopenRunFolder(folder: string): Promise<RunFolder> {
  const path = resolve(folder);
  // Before our own lock is a sign of life. Of a process that the record does not name, the lock alone tells.
  const record = await readRunRecord(path);
  if (record.process !== undefined && isLive(stateOf(path, record))) throw stillTraining(record.name);
  return openRunFolder(path);
}

function stillTraining(name: string): Error {
  return userError(`The run ${name} is still training. Stop it first, or give the new run a name of its own.`);
}

async function openRunFolder(path: string): Promise<RunFolder> {
  const { name } = await readRunRecord(path);
  const lock = await tryLock(join(path, runFiles.lock)).catch((error: unknown) => {
    throw diskError(error, path);
  });
  if (lock === undefined) throw stillTraining(name);
  try {
    // Read again: whoever had the lock may have written it since.
    return await ownFolder(path, await readRunRecord(path), lock);
  } catch (error) {
    await lock.release();
    throw diskError(error, path);
  }
}

async function ownFolder(path: string, first: RunRecord, lock: HeldLock): Promise<RunFolder> {
  const checkpoints = join(path, runFiles.checkpoints);
  await mkdir(checkpoints, { recursive: true });
  for (const folder of [path, checkpoints]) await sweepTemporaryFiles(folder);
  await sweepResumeFiles(checkpoints);
  const events = await openEvents(path);
  const place = await watchPlace(checkpoints);
  let record = first;
  let written = Promise.resolve();

  const requireOwn = () => {
    if (!lock.isHeld()) throw lost(path);
  };
  const requirePlace = async () => {
    requireOwn();
    if (!(await place.isSame())) throw lost(checkpoints);
  };
  const write = async (next: RunRecord) => {
    requireOwn();
    const { created, process: owner } = await readRunRecord(path).catch(() => ({ created: undefined, process: undefined }));
    if (created !== first.created || !isDeepStrictEqual(owner, record.process)) throw lost(join(path, runFiles.record));
    await writeRunRecord(path, next);
    record = next;
  };
  return {
    path,
    name: record.name,
    checkpoints,
    get events() {
      return events.count;
    },
    get record() {
      return record;
    },
    append: (...news) => events.append(news),
    update: async (changes) => {
      // One after the other, so that the newest stays.
      written = written
        .catch(() => undefined)
        .then(() => write({ ...record, ...changes, updated: new Date().toISOString() }));
      await written;
    },
    saving: async (work) => {
      await requirePlace();
      events.flush();
      const result = await work().catch(async (error: unknown) => {
        await requirePlace();
        throw error;
      });
      await place.remember();
      await sweepResumeFiles(checkpoints);
      return result;
    },
    close: lock.release,
  };
}

/** The end of a run whose folder is no longer what it was. */
function lost(path: string): Error {
  return userError(
    `${path} was moved, deleted or replaced while the run trained, so the run ended. Resume it where its folder is now, or start it again.`,
  );
}

/** Whether a folder of checkpoints is the one that it was. Not every disk numbers its folders for good: then its content tells. */
async function watchPlace(checkpoints: string) {
  const lastWritten = async () => (await checkpointMetadataIn(join(checkpoints, runFiles.last)))?.created;
  const { ino } = await stat(checkpoints, { bigint: true });
  let written = await lastWritten();
  return {
    isSame: async () => {
      const now = await stat(checkpoints, { bigint: true }).catch(() => undefined);
      if (now === undefined) return false;
      return now.ino === ino || (written !== undefined && (await lastWritten()) === written);
    },
    remember: async () => {
      written = await lastWritten();
    },
  };
}

/** The file of events, to be appended to: what a crash cut off is removed, and a write that fails leaves nothing behind. */
async function openEvents(folder: string) {
  const file = join(folder, runFiles.metrics);
  const { lines, end, size: found } = await findEventsEnd(folder);
  if (end < found) await truncate(file, end);
  let [count, size] = [lines, end];

  const open = (isNew: boolean) => {
    const flags = constants.O_WRONLY | constants.O_APPEND | nonBlocking | (isNew ? constants.O_CREAT : 0);
    const descriptor = openSync(file, flags);
    if (fstatSync(descriptor).size === size) return descriptor;
    closeSync(descriptor);
    throw lost(file);
  };
  const use = (isNew: boolean, work: (descriptor: number) => void) => {
    try {
      const descriptor = open(isNew);
      try {
        work(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw diskError(error, file);
      throw lost(existsSync(folder) ? file : folder);
    }
  };
  use(true, () => undefined);
  return {
    get count() {
      return count;
    },
    append: (events: readonly TrainingEvent[]) =>
      use(false, (descriptor) => {
        const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
        try {
          for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
        } catch (error) {
          ftruncateSync(descriptor, size);
          throw error;
        }
        count += events.length;
        size += bytes.length;
      }),
    flush: () => use(false, fsyncSync),
  };
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** False where something has that name by now. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const taken = ['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EPERM', 'EACCES'].includes(codeOf(error) ?? '');
    if (taken && (await isThere(to))) return false;
    throw error;
  }
}
