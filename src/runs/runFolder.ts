import { appendFileSync } from 'node:fs';
import { mkdir, truncate } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { codeOf, userError } from '../protocol/errors.ts';
import { runFiles, runRecordVersion, type RunRecord } from '../protocol/runRecord.ts';
import type { TrainingEvent } from '../protocol/trainingEvents.ts';
import { diskError } from './diskError.ts';
import { findEventsEnd } from './events.ts';
import { checkRunName } from './name.ts';
import { readRunRecord, writeRunRecord } from './record.ts';
import { isLive, stateOf } from './state.ts';

/** A run's folder in the hands of the process that trains. */
export interface RunFolder {
  readonly path: string;
  readonly name: string;
  readonly checkpoints: string;
  /** Lines that lie in `metrics.jsonl`. */
  readonly events: number;
  readonly record: RunRecord;
  /** Appends one event to `metrics.jsonl`, at once and in order. Throws a user error where the disk does not take it. */
  append(event: TrainingEvent): void;
  /** Replaces parts of the record and rewrites `run.json` whole: temporary name, flushed, renamed. */
  update(changes: Partial<RunRecord>): Promise<void>;
}

/**
 * Makes a folder of its own for a new run under `out`: `name`, or `name-2`, `name-3`, ... where that is taken, also by a
 * process that starts at the same moment.
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
    for (let counter = 1; ; counter++) {
      const unique = counter === 1 ? name : `${name}-${counter}`;
      const path = join(parent, unique);
      if (!(await makeFolder(path))) continue;
      await mkdir(join(path, runFiles.checkpoints));
      return await ownFolder(path, { ...record, version: runRecordVersion, name: unique, updated: record.created });
    }
  } catch (error) {
    throw diskError(error, parent);
  }
}

/**
 * Takes a run's folder over to go on in it. A line of `metrics.jsonl` that a crash cut off is removed. Throws a user
 * error where another process still trains in it.
 */
export async function reopenRunFolder(path: string): Promise<RunFolder> {
  const record = await readRunRecord(path);
  if (isLive(stateOf(record))) {
    throw userError(`The run ${record.name} is still training. Stop it first, or give the new run a name of its own.`);
  }
  return ownFolder(resolve(path), record);
}

async function ownFolder(path: string, first: RunRecord): Promise<RunFolder> {
  const metrics = join(path, runFiles.metrics);
  let record = first;
  let events = await repairEvents(path);
  let written = writeRunRecord(path, record);
  await written;
  return {
    path,
    name: record.name,
    checkpoints: join(path, runFiles.checkpoints),
    get events() {
      return events;
    },
    get record() {
      return record;
    },
    append: (event) => {
      try {
        appendFileSync(metrics, `${JSON.stringify(event)}\n`);
      } catch (error) {
        throw diskError(error, metrics);
      }
      events++;
    },
    update: async (changes) => {
      record = { ...record, ...changes, updated: new Date().toISOString() };
      // One after the other: they share a temporary name, and the newest has to stay.
      written = written.catch(() => undefined).then(() => writeRunRecord(path, record));
      await written;
    },
  };
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Cuts an unfinished last line off and returns the number of lines. */
async function repairEvents(folder: string): Promise<number> {
  const { lines, end, size } = await findEventsEnd(folder);
  if (end < size) await truncate(join(folder, runFiles.metrics), end);
  return lines;
}
