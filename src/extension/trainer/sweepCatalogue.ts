import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../protocol/errors.ts';
import { sweepFiles } from '../../protocol/sweep.ts';
import { listRunFolders, type UnreadableRun } from '../../runs/list.ts';
import { isLocked } from '../../runs/lock.ts';
import { isSweepLive, readStoredSweep, type StoredSweep } from '../../runs/storedSweep.ts';
import { isSweep } from '../../runs/sweep.ts';

/** What is known of the sweeps in some folders: only `sweep.json` and `trials.jsonl` are ever read. */
export interface SweepCatalogue {
  /** Newest first. */
  readonly sweeps: () => readonly StoredSweep[];
  readonly unreadable: () => readonly UnreadableRun[];
  readonly get: (folder: string) => StoredSweep | undefined;
  /** The sweep whose trial a run is, by the run's folder. */
  readonly ofRun: (run: string) => StoredSweep | undefined;
  /** Reads everything anew. Returns the folders of sweeps that changed, came or went. */
  readonly scan: (parents: readonly string[]) => Promise<readonly string[]>;
  /** Reads one sweep anew; true where it changed, came or went. */
  readonly read: (folder: string) => Promise<boolean>;
  /** Asks again whether the processes of live sweeps are there. Returns the folders of those that have ended. */
  readonly lookAtProcesses: () => Promise<readonly string[]>;
}

export function createSweepCatalogue(): SweepCatalogue {
  const known = new Map<string, StoredSweep>();
  const unreadable = new Map<string, string>();
  /** Folders of sweeps by those of the runs of their trials. */
  const owners = new Map<string, string>();
  const readings = new Map<string, Promise<boolean>>();

  const readNow = async (folder: string): Promise<boolean> => {
    const before = known.get(folder);
    if (!isSweep(folder)) {
      for (const run of before ? runsOf(before) : []) owners.delete(run);
      known.delete(folder);
      return unreadable.delete(folder) || before !== undefined;
    }
    try {
      const sweep = await readStoredSweep(folder, before);
      known.set(folder, sweep);
      // One that was renamed is another's by its old name.
      for (const run of before ? runsOf(before) : []) owners.delete(run);
      for (const run of runsOf(sweep)) owners.set(run, folder);
      return unreadable.delete(folder) || !isSame(before, sweep);
    } catch (error) {
      known.delete(folder);
      const reason = messageOf(error);
      const isKnown = unreadable.get(folder) === reason;
      unreadable.set(folder, reason);
      return !isKnown;
    }
  };
  /** One reading of a sweep after the other, so that an older one never takes the place of a newer one. */
  const read = (folder: string): Promise<boolean> => {
    const turn = (readings.get(folder) ?? Promise.resolve()).then(() => readNow(folder));
    readings.set(folder, turn);
    return turn.finally(() => {
      if (readings.get(folder) === turn) readings.delete(folder);
    });
  };
  const changedOf = async (folders: readonly string[]): Promise<readonly string[]> => {
    const differs = await Promise.all(folders.map(read));
    return folders.filter((_, index) => differs[index]);
  };
  return {
    sweeps: () => [...known.values()].sort((a, b) => b.record.created.localeCompare(a.record.created)),
    unreadable: () => Array.from(unreadable, ([folder, reason]) => ({ folder, reason })),
    get: (folder) => known.get(folder),
    ofRun: (run) => known.get(owners.get(run) ?? ''),
    scan: async (parents) => {
      const found = (await Promise.all(parents.map(listRunFolders))).flat().filter(isSweep);
      return changedOf([...new Set([...found, ...known.keys(), ...unreadable.keys()])]);
    },
    read,
    lookAtProcesses: () => {
      const live = [...known.values()].filter(({ state }) => isSweepLive(state)).map(({ folder }) => folder);
      return changedOf(live.filter((folder) => !isLocked(join(folder, sweepFiles.lock))));
    },
  };
}

/** The folders of the runs that a sweep has begun, best first; they lie beside its own. */
export function runsOf({ folder, standings }: Pick<StoredSweep, 'folder' | 'standings'>): string[] {
  return standings.flatMap(({ run }) => (run === undefined ? [] : join(dirname(folder), run)));
}

/** Name of a sweep: that of its folder. */
export function nameOfSweep({ folder }: Pick<StoredSweep, 'folder'>): string {
  return basename(folder);
}

function isSame(before: StoredSweep | undefined, now: StoredSweep): boolean {
  return before?.state === now.state && before.events === now.events && before.written === now.written;
}
