import type * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { registerCommand } from './registerCommand.ts';

/** *Refresh*: reads runs and data anew. */
export function registerRefresh({
  log,
  runs,
  dataFolders,
}: Pick<Parts, 'log' | 'runs'> & { readonly dataFolders: DataFolders }): vscode.Disposable {
  return registerCommand('fivecrop.refresh', log, () => {
    dataFolders.refresh();
    return runs.refresh();
  });
}
