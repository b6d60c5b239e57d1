import * as vscode from 'vscode';
import type { RunStore } from '../trainer/runStore.ts';

/** What conditions of menus in package.json ask: whether there are runs to compare. */
export function registerContextKeys({ runs }: { readonly runs: RunStore }): vscode.Disposable {
  let known: boolean | undefined;
  const look = (): void => {
    const several = runs.runs.length > 1;
    if (several === known) return;
    known = several;
    void vscode.commands.executeCommand('setContext', 'fivecrop.hasSeveralRuns', several);
  };
  look();
  return runs.onDidChange(look);
}
