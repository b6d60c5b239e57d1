import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import * as vscode from 'vscode';
import { runFiles } from '../../protocol/runRecord.ts';
import { sweepFiles } from '../../protocol/sweep.ts';
import { watchRuns } from '../../runs/watch.ts';
import { runFolderOf } from './runCatalogue.ts';

/** Hears of runs by their folders. */
export interface RunFoldersListener {
  /** A run came or went, or its record or that of its job changed. */
  readonly onRun: (run: string) => void;
  /** A sweep came or went, its process came or went, or something happened to a trial: the folder of the sweep. */
  readonly onSweep: (sweep: string) => void;
  /** Its `metrics.jsonl` grew. */
  readonly onGrow: (run: string) => void;
  /** A checkpoint was written or deleted. */
  readonly onCheckpoint: (run: string) => void;
  /** One of the watched folders came or went. */
  readonly onFolder: () => void;
  /** Nothing more is heard of some folder. */
  readonly onError: (error: Error) => void;
}

/** Files whose changes are those of a sweep. */
const ofSweeps: readonly string[] = [sweepFiles.record, sweepFiles.trials, sweepFiles.lock, sweepFiles.stop];

export interface WatchedFolders {
  /** Those that were not there yet. */
  readonly unwatched: ReadonlySet<string>;
  readonly dispose: () => void;
}

/** Watches the runs in the folders, and whether the folders themselves come and go. */
export function watchRunFolders(folders: readonly string[], listener: RunFoldersListener): WatchedFolders {
  const { onRun, onSweep, onGrow, onCheckpoint, onFolder, onError } = listener;
  const onPath = (path: string): void => {
    const run = runFolderOf(path, folders);
    if (run === undefined) return;
    if (path === join(run, runFiles.metrics)) onGrow(run);
    else if (dirname(path) === join(run, runFiles.checkpoints)) onCheckpoint(run);
    else if ([join(run, runFiles.record), join(run, runFiles.job)].includes(path)) onRun(run);
    else if (ofSweeps.includes(relative(run, path))) onSweep(run);
    else if (path === run) {
      onRun(run);
      onSweep(run);
    }
  };
  const unwatched = new Set(folders.filter((folder) => !existsSync(folder)));
  const ends = folders
    .filter((folder) => !unwatched.has(folder))
    .map((folder) => watchRuns(folder, { onPath, onError }));
  const watchers = folders.map((folder) => {
    const pattern = new vscode.RelativePattern(vscode.Uri.file(dirname(folder)), basename(folder));
    const watcher = vscode.workspace.createFileSystemWatcher(pattern, false, true, false);
    return vscode.Disposable.from(watcher, watcher.onDidCreate(onFolder), watcher.onDidDelete(onFolder));
  });
  return {
    unwatched,
    dispose: () => {
      for (const end of ends) end();
      for (const watcher of watchers) watcher.dispose();
    },
  };
}
