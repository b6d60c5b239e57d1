import * as vscode from 'vscode';
import { ignoreFile } from '../../protocol/ignoreList.ts';

/** Calls `onChange` for each file in a data folder that comes, goes or is put aside. */
export function watchDataFolder(folder: string, onChange: () => void): vscode.Disposable {
  const inFolder = (pattern: string) => new vscode.RelativePattern(vscode.Uri.file(folder), pattern);
  const watcher = vscode.workspace.createFileSystemWatcher(inFolder('**'), false, true, false);
  // Of files that change only the list of what is put aside matters.
  const list = vscode.workspace.createFileSystemWatcher(inFolder(ignoreFile));
  const listeners = [watcher.onDidCreate(onChange), watcher.onDidDelete(onChange), list.onDidChange(onChange)];
  return vscode.Disposable.from(watcher, list, ...listeners);
}
