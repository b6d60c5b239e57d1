import * as vscode from 'vscode';
import { nodeFrom } from '../views/treeNodes.ts';

/** The data folder that a command of the explorer or of the *Data* view is about; undefined where it was called without. */
export function folderFrom(argument: unknown): string | undefined {
  if (argument instanceof vscode.Uri) return argument.fsPath;
  const node = nodeFrom(argument);
  return node?.kind === 'data' ? node.folder : undefined;
}
