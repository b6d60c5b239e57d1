import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from '../../protocol/errors.ts';
import type { StoredRun, UnreadableRun } from '../../runs/list.ts';
import type { Log } from '../log.ts';
import { runsFolders } from '../settings.ts';
import { mayGoOn } from './elsewhere.ts';
import { repeatWhile } from './repeatWhile.ts';
import { createRunCatalogue } from './runCatalogue.ts';
import { watchRunFolders, type WatchedFolders } from './watchRunFolders.ts';

/** The runs of this window, wherever they were started, kept in step with the disk. */
export interface RunStore {
  /** Newest first; empty until `load` has resolved once. */
  readonly runs: readonly StoredRun[];
  readonly unreadable: readonly UnreadableRun[];
  /** Folders in which runs are looked for; new runs go into the first. Empty where nothing is open. */
  readonly folders: readonly string[];
  readonly get: (folder: string) => StoredRun | undefined;
  /** Reads the runs the first time it is called; later calls wait for that. */
  readonly load: () => Promise<void>;
  /** Reads one run's record, or all of them, anew. */
  readonly refresh: (folder?: string) => Promise<void>;
  /** Folders of runs whose record or process changed, or that came or went. */
  readonly onDidChange: vscode.Event<readonly string[]>;
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
  const changed = new vscode.EventEmitter<readonly string[]>();
  const grew = new vscode.EventEmitter<string>();
  const checkpoints = new vscode.EventEmitter<string>();
  let folders = runsFolders();
  let loading: Promise<void> | undefined;
  let disposed = false;

  const tell = (runs: readonly string[]): void => {
    if (runs.length > 0) changed.fire(runs);
    lookAtProcesses(!disposed && catalogue.runs().some(mayGoOn));
  };
  const lookAtProcesses = repeatWhile(processLook, () => void catalogue.lookAtProcesses().then(tell));
  const scan = async (): Promise<void> => {
    // Watched first, so that nothing happens unseen between the two.
    watchAgain();
    try {
      tell(await catalogue.scan(folders));
    } catch (error) {
      log.error(messageOf(error));
    }
  };
  const readLater = gather(async (runs) => {
    const differs = await Promise.all(runs.map(catalogue.read));
    tell(runs.filter((_, index) => differs[index]));
  });
  let watching: WatchedFolders | undefined;
  const watchAgain = (): void => {
    watching?.dispose();
    folders = runsFolders();
    watching = watchRunFolders(folders, {
      onRun: readLater,
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
  const listeners = [
    changed,
    grew,
    checkpoints,
    vscode.workspace.onDidChangeWorkspaceFolders(rescan),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('fivecrop.runsFolder')) rescan();
    }),
  ];
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
    load,
    refresh: async (folder) => {
      const isFirst = folder !== undefined && watching?.unwatched.has(dirname(folder));
      if (folder === undefined || isFirst === true) await load().then(scan);
      else if (await catalogue.read(folder)) tell([folder]);
    },
    onDidChange: changed.event,
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
