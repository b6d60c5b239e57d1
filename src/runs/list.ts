import type { Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { codeOf, messageOf, userError } from '../protocol/errors.ts';
import type { JobRecord } from '../protocol/jobRecord.ts';
import { runFiles, type RunRecord } from '../protocol/runRecord.ts';
import { requireRegular } from './boundedFile.ts';
import { readJobRecord } from './job.ts';
import { readRunRecord } from './record.ts';
import { type DerivedRunState, stateOf } from './state.ts';

/** A run on disk. */
export interface StoredRun {
  /** Absolute. */
  readonly folder: string;
  readonly record: RunRecord;
  readonly state: DerivedRunState;
  /** What trains it on another machine, if anything does and its record can be understood. */
  readonly job?: JobRecord;
}

/** A folder whose `run.json` cannot be understood, or in which lies what no run writes, with the reason. */
export interface UnreadableRun {
  readonly folder: string;
  readonly reason: string;
}

export interface RunList {
  /** Newest first. */
  readonly runs: readonly StoredRun[];
  readonly unreadable: readonly UnreadableRun[];
}

/** All runs whose folders lie directly in `out`; none where there is no such folder. */
export async function listRuns(out: string): Promise<RunList> {
  const runs: StoredRun[] = [];
  const unreadable: UnreadableRun[] = [];
  for (const folder of await listRunFolders(resolve(out))) {
    if (!(await hasRecord(folder))) continue;
    try {
      runs.push(await readStoredRun(folder));
    } catch (error) {
      unreadable.push({ folder, reason: messageOf(error) });
    }
  }
  return { runs: runs.sort(newestFirst), unreadable };
}

/** The folders that lie directly in `parent`, absolute; none where there is no such folder. */
export async function listRunFolders(parent: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(parent, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => join(parent, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw userError(`The runs in ${parent} cannot be listed: ${messageOf(error)}.`, error);
  }
}

/** Whether a folder says that it is a run, readable or not. */
export async function hasRecord(folder: string): Promise<boolean> {
  return (await lstat(join(folder, runFiles.record)).catch(() => undefined)) !== undefined;
}

/**
 * A run as it is now. Where its process is gone, the record is read once more: the process may have ended well after the
 * first reading, and what it wrote last is final. Throws a user error where the folder is not what a run writes.
 */
export async function readStoredRun(folder: string, readRecord = readRunRecord): Promise<StoredRun> {
  await requireOrdinary(folder);
  const found = await readRecord(folder);
  const isOver = ['broken off', 'queued'].includes(stateOf(folder, found));
  const record = isOver ? await readRecord(folder) : found;
  const job = await readJobRecord(folder).catch(() => undefined);
  return { folder, record, state: stateOf(folder, record), ...(job ? { job } : {}) };
}

export function newestFirst(a: StoredRun, b: StoredRun): number {
  return b.record.created.localeCompare(a.record.created) || a.folder.localeCompare(b.folder);
}

/** Throws a user error where the curves or the checkpoints of a run are not what they should be: whoever opens it would fail. */
async function requireOrdinary(folder: string): Promise<void> {
  const metrics = join(folder, runFiles.metrics);
  const status = await statusOf(metrics);
  if (status !== undefined) requireRegular(metrics, status);
  const checkpoints = join(folder, runFiles.checkpoints);
  if ((await statusOf(checkpoints))?.isDirectory() === false) {
    throw userError(`${checkpoints} is not a folder: put the run’s folder of checkpoints there.`);
  }
}

async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw userError(`${path} cannot be read: ${messageOf(error)}.`, error);
  }
}

/** The folder of the run that a path means: itself, or that of a checkpoint in it; undefined where it is neither. */
export async function runOf(path: string): Promise<string | undefined> {
  return (await hasRecord(resolve(path))) ? resolve(path) : runOfCheckpoint(path);
}

/** The folder of the run that a checkpoint belongs to, where it lies in one. */
export async function runOfCheckpoint(checkpoint: string): Promise<string | undefined> {
  const parent = resolve(checkpoint, '..');
  if (basename(parent) !== runFiles.checkpoints) return undefined;
  const folder = resolve(parent, '..');
  return (await hasRecord(folder)) ? folder : undefined;
}
