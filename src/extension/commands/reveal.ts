import { stat } from 'node:fs/promises';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { userError } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { registerCommand } from './registerCommand.ts';

/** *Reveal* and *Open Runs Folder*. */
export function registerReveal({ log, runs }: Pick<Parts, 'log' | 'runs'>): vscode.Disposable {
  return vscode.Disposable.from(
    registerCommand('fivecrop.reveal', log, (argument: unknown) => reveal(argument)),
    registerCommand('fivecrop.openRunsFolder', log, () => revealRunsFolder(runs.folders)),
  );
}

async function revealRunsFolder([folder]: readonly string[]): Promise<void> {
  if (folder === undefined) throw userError(l10n.t('Open a folder first: runs are kept inside it.'));
  const there = await stat(folder).catch(() => undefined);
  if (there === undefined) throw userError(l10n.t('There are no runs yet: {0} is created by the first one.', folder));
  await revealPath(folder);
}

async function reveal(argument: unknown): Promise<void> {
  const node = nodeFrom(argument);
  if (node === undefined || node.kind === 'queued')
    throw userError(l10n.t('Choose a row of the Fivecrop views to reveal.'));
  await revealPath('path' in node ? node.path : node.folder);
}

/** In the editor's explorer where the path lies in the workspace, else in the system's own. */
async function revealPath(path: string): Promise<void> {
  const uri = vscode.Uri.file(path);
  const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
}
