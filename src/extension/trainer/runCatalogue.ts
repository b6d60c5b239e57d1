import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../protocol/errors.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import {
  hasRecord,
  listRunFolders,
  newestFirst,
  readStoredRun,
  type StoredRun,
  type UnreadableRun,
} from '../../runs/list.ts';
import { readRunRecord } from '../../runs/record.ts';
import { isLive, stateOf } from '../../runs/state.ts';
import { mayGoOn, trainsElsewhere } from './elsewhere.ts';

/** What is known of the runs in some folders: only `run.json` is ever read. */
export interface RunCatalogue {
  /** Newest first. */
  readonly runs: () => readonly StoredRun[];
  readonly unreadable: () => readonly UnreadableRun[];
  readonly get: (folder: string) => StoredRun | undefined;
  /** Reads everything anew. Returns the run folders that changed, came or went. */
  readonly scan: (parents: readonly string[]) => Promise<readonly string[]>;
  /** Reads one run anew; true where it changed, came or went. */
  readonly read: (folder: string) => Promise<boolean>;
  /**
   * Asks again whether the processes of live runs are there, and reads those anew that other machines wrote to. Returns the
   * folders of those that changed.
   */
  readonly lookAtProcesses: () => Promise<readonly string[]>;
}

/** Records that are read at the same time. */
const concurrency = 16;

export function createRunCatalogue(readRecord: typeof readRunRecord = readRunRecord): RunCatalogue {
  const known = new Map<string, StoredRun>();
  const unreadable = new Map<string, string>();
  /** When the records were written that were read, in milliseconds since 1970. */
  const times = new Map<string, number | undefined>();
  const readings = new Map<string, Promise<boolean>>();
  let sorted: readonly StoredRun[] | undefined;

  const forget = (folder: string): boolean => {
    sorted = undefined;
    times.delete(folder);
    const had = known.delete(folder);
    return unreadable.delete(folder) || had;
  };
  const readNow = async (folder: string): Promise<boolean> => {
    if (!(await hasRecord(folder))) return forget(folder);
    times.set(folder, await timeOfRecord(folder));
    try {
      const run = await readStoredRun(folder, readRecord);
      const changed = !sameRun(known.get(folder), run);
      if (changed) sorted = undefined;
      known.set(folder, run);
      return unreadable.delete(folder) || changed;
    } catch (error) {
      const before = unreadable.get(folder);
      const reason = messageOf(error);
      unreadable.set(folder, reason);
      if (known.delete(folder)) sorted = undefined;
      return before !== reason;
    }
  };
  /** One reading of a run after the other, so that an older record never takes the place of a newer one. */
  const read = (folder: string): Promise<boolean> => {
    const turn = (readings.get(folder) ?? Promise.resolve()).then(() => readNow(folder));
    readings.set(folder, turn);
    return turn.finally(() => {
      if (readings.get(folder) === turn) readings.delete(folder);
    });
  };
  const scan = async (parents: readonly string[]): Promise<readonly string[]> => {
    const found = (await Promise.all(parents.map(listRunFolders))).flat();
    const gone = [...known.keys(), ...unreadable.keys()].filter((folder) => !found.includes(folder));
    const changed = gone.filter(forget);
    for (let start = 0; start < found.length; start += concurrency) {
      const part = found.slice(start, start + concurrency);
      const differs = await Promise.all(part.map(read));
      changed.push(...part.filter((_, index) => differs[index]));
    }
    return changed;
  };
  /** Of a shared disk the system does not tell what another machine writes. */
  const changedElsewhere = async (): Promise<readonly string[]> => {
    const away = [...known.values()].filter(
      (run) => mayGoOn(run) && (run.job !== undefined || trainsElsewhere(run.record)),
    );
    const now = await Promise.all(away.map(({ folder }) => timeOfRecord(folder)));
    return away.map(({ folder }) => folder).filter((folder, index) => now[index] !== times.get(folder));
  };
  return {
    runs: () => (sorted ??= [...known.values()].sort(newestFirst)),
    unreadable: () =>
      Array.from(unreadable, ([folder, reason]) => ({ folder, reason })).sort((a, b) => (a.folder < b.folder ? -1 : 1)),
    get: (folder) => known.get(folder),
    scan,
    read,
    lookAtProcesses: async () => {
      // Whether somebody follows a run on a machine that shares no disk is not in its record.
      const gone = [...known.values()].filter(
        (run) => (isLive(run.state) || run.job?.scheduler === 'ssh') && stateOf(run.folder, run.record) !== run.state,
      );
      const looked = [...gone.map(({ folder }) => folder), ...(await changedElsewhere())];
      const differs = await Promise.all(looked.map(read));
      return looked.filter((_, index) => differs[index]);
    },
  };
}

/** `updated` changes with every rewrite of a record. */
function sameRun(before: StoredRun | undefined, now: StoredRun): boolean {
  return (
    before?.state === now.state &&
    before.record.updated === now.record.updated &&
    before.record.name === now.record.name &&
    isDeepStrictEqual(before.job, now.job)
  );
}

async function timeOfRecord(folder: string): Promise<number | undefined> {
  return (await stat(join(folder, runFiles.record)).catch(() => undefined))?.mtimeMs;
}

/** The run folder that a path below one of `parents` belongs to. */
export function runFolderOf(path: string, parents: readonly string[]): string | undefined {
  let folder = path;
  while (dirname(folder) !== folder) {
    if (parents.includes(dirname(folder))) return folder;
    folder = dirname(folder);
  }
  return undefined;
}
