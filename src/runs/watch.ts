import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { codeOf } from '../protocol/errors.ts';
import { runFiles } from '../protocol/runRecord.ts';

/** Folders of runs that are watched at the same time, each with its checkpoints: a system has only so many watchers. */
export const mostWatchedRuns = 1000;

export interface RunsListener {
  /** A file or folder was made, changed or removed: a run, or what lies in it or in its `checkpoints`. */
  readonly onPath: (path: string) => void;
  /** Nothing more is heard of some folder. */
  readonly onError: (error: Error) => void;
}

/**
 * Watches the runs in a folder, which has to exist; what lies there already is not told. The editor's own watcher cannot be used on Linux: of folders that are
 * made at once, one in another, as a first run makes them, it sees the outermost alone, and never what happens in the
 * others. So there each folder is watched by itself; macOS and Windows can watch a whole tree. Returns the function that
 * ends it.
 */
export function watchRuns(parent: string, listener: RunsListener): () => void {
  if (process.platform !== 'linux') {
    const watcher = open(parent, true, listener, (_, name) => listener.onPath(join(parent, name)));
    return () => watcher?.close();
  }
  return watchEach(parent, listener);
}

function watchEach(parent: string, listener: RunsListener): () => void {
  const watchers = new Map<string, FSWatcher>();
  let begun = false;
  const add = (folder: string, depth: number): void => {
    if (watchers.has(folder)) return;
    const watcher = open(folder, false, listener, (kind, name) => {
      // A run appears under its name; before that it lies in a hidden folder.
      if (name.startsWith('.')) return;
      const path = join(folder, name);
      // `rename` is what Node calls it when something comes, goes or is moved.
      if (kind === 'rename' && depth < 2) look(path, depth + 1);
      listener.onPath(path);
    });
    if (watcher === undefined) return;
    watchers.set(folder, watcher);
    // What was made before the watcher was there.
    const inside = depth < 2 ? subfolders(folder) : [];
    for (const inner of depth === 0 ? newest(inside, listener) : inside) enter(inner, depth + 1);
  };
  const enter = (folder: string, depth: number): void => {
    if (depth === 2 && folder !== join(dirname(folder), runFiles.checkpoints)) return;
    add(folder, depth);
    if (begun) listener.onPath(folder);
  };
  const look = (path: string, depth: number): void => {
    // What came, went or was moved: a folder that was there before is another one now, even under the same name.
    for (const gone of [path, join(path, runFiles.checkpoints)]) {
      watchers.get(gone)?.close();
      watchers.delete(gone);
    }
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) enter(path, depth);
  };
  add(parent, 0);
  begun = true;
  return () => {
    for (const watcher of watchers.values()) watcher.close();
  };
}

function open(
  folder: string,
  recursive: boolean,
  { onError }: RunsListener,
  onEvent: (kind: string, name: string) => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { recursive, persistent: false }, (kind, name) => {
      if (name !== null) onEvent(kind, name);
    });
    watcher.on('error', onError);
    return watcher;
  } catch (error) {
    // A folder may go before it is watched; anything else, such as too many watchers, has to be known.
    if (codeOf(error) !== 'ENOENT') onError(error as Error);
    return undefined;
  }
}

/** The folders that changed last, where there are too many to watch all. */
function newest(folders: readonly string[], { onError }: RunsListener): readonly string[] {
  if (folders.length <= mostWatchedRuns) return folders;
  onError(new Error(`there are ${folders.length} runs, and the ${mostWatchedRuns} that changed last are watched`));
  const times = new Map(folders.map((folder) => [folder, statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  return [...folders].sort((a, b) => (times.get(b) ?? 0) - (times.get(a) ?? 0)).slice(0, mostWatchedRuns);
}

function subfolders(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
}
