import type * as vscode from 'vscode';
import type { Log } from '../log.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { registerCommand } from './registerCommand.ts';

/** *Remove from This List*. */
export function registerForgetData({
  log,
  dataFolders,
}: {
  readonly log: Log;
  readonly dataFolders: DataFolders;
}): vscode.Disposable {
  return registerCommand('fivecrop.forgetData', log, async (argument: unknown) => {
    const node = nodeFrom(argument);
    if (node?.kind === 'data') await dataFolders.forget(node.folder);
  });
}
