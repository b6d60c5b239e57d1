import type * as vscode from 'vscode';
import type { Log } from '../log.ts';
import { registerCommand } from './registerCommand.ts';

/** *Show Log*: what the editor did. */
export function registerShowLog({ log }: { readonly log: Log }): vscode.Disposable {
  return registerCommand('fivecrop.showLog', log, () => log.show());
}
