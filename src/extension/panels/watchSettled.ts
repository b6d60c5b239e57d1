import * as vscode from 'vscode';
import { watchDataFolder } from '../views/watchDataFolder.ts';

/** Milliseconds over which changes of the folders are gathered, and for how long after an edit they are our own. */
const settle = 1000;

/**
 * Calls `onChange` when files have come, gone or been put aside in folders and no more have since. Our own edits, of which
 * `lastAction` says the time, have been told, but somebody else may have changed something then: one look shows it.
 */
export function watchSettled(
  folders: readonly string[],
  lastAction: () => number,
  onChange: () => void,
): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, Math.max(settle, lastAction() + 2 * settle - Date.now()));
  };
  const watchers = folders.map((folder) => watchDataFolder(folder, later));
  return vscode.Disposable.from(...watchers, { dispose: () => clearTimeout(timer) });
}
