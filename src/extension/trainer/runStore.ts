import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from '../../protocol/errors.ts';
import type { StoredRun, UnreadableRun } from '../../runs/list.ts';
import { isSweepLive } from '../../runs/storedSweep.ts';
import type { Log } from '../log.ts';
import { runsFolders } from '../settings.ts';
import { mayGoOn } from './elsewhere.ts';
import { repeatWhile } from './repeatWhile.ts';
import { createRunCatalogue, type RunCatalogue } from './runCatalogue.ts';
import { createSweepCatalogue, type SweepCatalogue } from './sweepCatalogue.ts';
import { watchRunFolders, type WatchedFolders } from './watchRunFolders.ts';

/** The runs of this window, wherever they were started, kept in step with the disk. */
export interface RunStore {
  /** Newest first; empty until `load` has resolved once. */
  readonly runs: readonly StoredRun[];
  readonly unreadable: readonly UnreadableRun[];
  /** Folders in which runs are looked for; new runs go into the first. Empty where nothing is open. */
  readonly folders: readonly string[];
  readonly get: (folder: string) => StoredRun | undefined;
  /** The sweeps in the folders. */
  readonly sweeps: Pick<SweepCatalogue, 'sweeps' | 'unreadable' | 'get' | 'ofRun'>;
  /** Reads the runs the first time it is called; later calls wait for that. */
  readonly load: () => Promise<void>;
  /** Reads one run or sweep, or all of them, anew. */
  readonly refresh: (folder?: string) => Promise<void>;
  /** Folders of runs whose record or process changed, or that came or went. */
  readonly onDidChange: vscode.Event<readonly string[]>;
  /** Folders of sweeps that came or went, whose process did, or of whose trials there is news. */
  readonly onDidChangeSweeps: vscode.Event<readonly string[]>;
  /** Folder of a run whose `metrics.jsonl` grew. */
  readonly onDidGrow: vscode.Event<string>;
  /** Folder of a run in which a checkpoint was written or deleted. */
  readonly onDidChangeCheckpoints: vscode.Event<string>;
  readonly dispose: () => void;
}

/** Milliseconds over which changes on disk are gathered. */
const settle = 60;
/** Milliseconds between two looks whether the processes of live runs are still there, and what became of those on other machines. */
const processLook = 2000;

export function createRunStore(log: Log): RunStore {
  const catalogue = createRunCatalogue();
  const sweepCatalogue = createSweepCatalogue();
  const grew = new vscode.EventEmitter<string>();
  const checkpoints = new vscode.EventEmitter<string>();
  let folders = runsFolders();
  let loading: Promise<void> | undefined;
  let disposed = false;

  const lookAgain = (): void => {
    const lives = catalogue.runs().some(mayGoOn);
    lookAtProcesses(!disposed && (lives || sweepCatalogue.sweeps().some(({ state }) => isSweepLive(state))));
  };
  const runs = followed(catalogue, lookAgain);
  const sweeps = followed(sweepCatalogue, lookAgain);
  const lookAtProcesses = repeatWhile(processLook, () => {
    void runs.lookAtProcesses();
    void sweeps.lookAtProcesses();
  });
  const scan = async (): Promise<void> => {
    // Watched first, so that nothing happens unseen between the two.
    watchAgain();
    try {
      // Sweeps first, so that no run of one is taken for one of its own.
      await sweeps.scan(folders);
      await runs.scan(folders);
    } catch (error) {
      log.error(messageOf(error));
    }
  };
  let watching: WatchedFolders | undefined;
  const watchAgain = (): void => {
    watching?.dispose();
    folders = runsFolders();
    watching = watchRunFolders(folders, {
      onRun: runs.readLater,
      onSweep: sweeps.readLater,
      onGrow: (run) => grew.fire(run),
      onCheckpoint: (run) => checkpoints.fire(run),
      onFolder: rescan,
      onError: (error) => log.warn(`Changes of runs may go unseen until you refresh the list: ${error.message}`),
    });
  };
  const load = (): Promise<void> => (loading ??= scan());
  const rescan = (): void => {
    if (loading !== undefined) void scan();
  };
  const listeners = [runs, sweeps, grew, checkpoints, ...onOtherFolders(rescan)];
  return {
    get runs() {
      return catalogue.runs();
    },
    get unreadable() {
      return catalogue.unreadable();
    },
    get folders() {
      return runsFolders();
    },
    get: catalogue.get,
    sweeps: sweepCatalogue,
    load,
    refresh: async (folder) => {
      const isFirst = folder !== undefined && watching?.unwatched.has(dirname(folder));
      if (folder === undefined || isFirst === true) await load().then(scan);
      else await Promise.all([runs.read([folder]), sweeps.read([folder])]);
    },
    onDidChange: runs.onDidChange,
    onDidChangeSweeps: sweeps.onDidChange,
    onDidGrow: grew.event,
    onDidChangeCheckpoints: checkpoints.event,
    dispose: () => {
      disposed = true;
      lookAtProcesses(false);
      watching?.dispose();
      for (const listener of listeners) listener.dispose();
    },
  };
}

/** Calls `rescan` where runs may lie in other folders than before. */
function onOtherFolders(rescan: () => void): vscode.Disposable[] {
  return [
    vscode.workspace.onDidChangeWorkspaceFolders(rescan),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('fivecrop.runsFolder')) rescan();
    }),
  ];
}

/** Tells who listens what looks at a catalogue find; `lookAgain` is called after each. */
function followed(
  { scan, read, lookAtProcesses }: Pick<RunCatalogue, 'scan' | 'read' | 'lookAtProcesses'>,
  lookAgain: () => void,
) {
  const changed = new vscode.EventEmitter<readonly string[]>();
  const tell = (folders: readonly string[]): void => {
    if (folders.length > 0) changed.fire(folders);
    lookAgain();
  };
  const readAndTell = async (folders: readonly string[]): Promise<void> => {
    const differs = await Promise.all(folders.map(read));
    tell(folders.filter((_, index) => differs[index]));
  };
  return {
    scan: async (parents: readonly string[]) => tell(await scan(parents)),
    read: readAndTell,
    readLater: gather(readAndTell),
    lookAtProcesses: async () => tell(await lookAtProcesses()),
    onDidChange: changed.event,
    dispose: () => changed.dispose(),
  };
}

/** Calls `handle` with everything that came within a moment. */
function gather(handle: (items: readonly string[]) => Promise<void>): (item: string) => void {
  const pending = new Set<string>();
  return (item) => {
    if (pending.size === 0) {
      setTimeout(() => {
        const items = [...pending];
        pending.clear();
        void handle(items);
      }, settle);
    }
    pending.add(item);
  };
}
