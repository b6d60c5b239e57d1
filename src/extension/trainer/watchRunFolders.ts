import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { runFiles } from '../../protocol/runRecord.ts';
import { watchRuns } from '../../runs/watch.ts';
import { runFolderOf } from './runCatalogue.ts';

/** Hears of runs by their folders. */
export interface RunFoldersListener {
  /** A run came or went, or its record or that of its job changed. */
  readonly onRun: (run: string) => void;
  /** Its `metrics.jsonl` grew. */
  readonly onGrow: (run: string) => void;
  /** A checkpoint was written or deleted. */
  readonly onCheckpoint: (run: string) => void;
  /** One of the watched folders came or went. */
  readonly onFolder: () => void;
  /** Nothing more is heard of some folder. */
  readonly onError: (error: Error) => void;
}

export interface WatchedFolders {
  /** Those that were not there yet. */
  readonly unwatched: ReadonlySet<string>;
  readonly dispose: () => void;
}

/** Watches the runs in the folders, and whether the folders themselves come and go. */
export function watchRunFolders(folders: readonly string[], listener: RunFoldersListener): WatchedFolders {
  const { onRun, onGrow, onCheckpoint, onFolder, onError } = listener;
  const onPath = (path: string): void => {
    const run = runFolderOf(path, folders);
    if (run === undefined) return;
    if (path === join(run, runFiles.metrics)) onGrow(run);
    else if (dirname(path) === join(run, runFiles.checkpoints)) onCheckpoint(run);
    else if ([run, join(run, runFiles.record), join(run, runFiles.job)].includes(path)) onRun(run);
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
