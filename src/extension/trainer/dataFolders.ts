import * as vscode from 'vscode';
import type { RunStore } from './runStore.ts';

/** The data folders that this workspace has used: remembered ones, and those of its runs. */
export interface DataFolders {
  /** Absolute, the last used first. */
  readonly all: () => readonly string[];
  readonly remember: (folder: string) => Promise<void>;
  /** Takes a folder out of the list until it is used again. Nothing on disk changes. */
  readonly forget: (folder: string) => Promise<void>;
  /** Has lists look at the folders again. */
  readonly refresh: () => void;
  readonly onDidChange: vscode.Event<void>;
  readonly dispose: () => void;
}

interface Kept {
  readonly used: readonly string[];
  readonly forgotten: readonly string[];
}

const key = 'dataFolders';

/**
 * Whether a folder that a run's record names is looked at: before trust only one of the workspace itself, since a record may
 * name any place, and on Windows even to ask for one on another machine says who asks.
 */
function mayBeLookedAt(folder: string): boolean {
  return vscode.workspace.isTrusted || vscode.workspace.getWorkspaceFolder(vscode.Uri.file(folder)) !== undefined;
}

export function createDataFolders(memory: vscode.Memento, runs: RunStore): DataFolders {
  const changed = new vscode.EventEmitter<void>();
  const kept = (): Kept => memory.get<Kept>(key, { used: [], forgotten: [] });
  const keep = async (next: Kept): Promise<void> => {
    await memory.update(key, next);
    changed.fire();
  };
  const all = (): readonly string[] => {
    const { used, forgotten } = kept();
    const ofRuns = runs.runs
      .map(({ record }) => record.config.data)
      .filter((folder) => mayBeLookedAt(folder) && !forgotten.includes(folder));
    return [...new Set([...used, ...ofRuns])];
  };
  let known = '';
  const listener = runs.onDidChange(() => {
    const now = all().join('\n');
    if (now !== known) changed.fire();
    known = now;
  });
  const trusted = vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire());
  return {
    all,
    remember: (folder) => {
      const { used, forgotten } = kept();
      const rest = (folders: readonly string[]) => folders.filter((other) => other !== folder);
      return keep({ used: [folder, ...rest(used)].slice(0, 20), forgotten: rest(forgotten) });
    },
    forget: (folder) => {
      const { used, forgotten } = kept();
      return keep({ used: used.filter((other) => other !== folder), forgotten: [...forgotten, folder] });
    },
    refresh: () => changed.fire(),
    onDidChange: changed.event,
    dispose: () => {
      listener.dispose();
      trusted.dispose();
      changed.dispose();
    },
  };
}
