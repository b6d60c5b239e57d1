import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { userError } from '../../protocol/errors.ts';

/** The first folder of the workspace that is on a disk. Throws a user error with this sentence where nothing is open. */
export function workspaceRoot(nothingOpen: string): string {
  const root = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath;
  if (root === undefined) throw userError(nothingOpen);
  return root;
}

/** A name that nothing in a folder has: `stem`, or with a number. */
export function freeName(root: string, stem: string): string {
  for (let counter = 1; ; counter++) {
    const name = counter === 1 ? stem : `${stem}-${counter}`;
    if (!existsSync(join(root, name))) return name;
  }
}

/** Why a name is none for a new folder in `root`; undefined where it is one. */
export function newFolderProblem(root: string, name: string): string | undefined {
  if (name.trim() === '' || /[<>:"|?*]|\.\.|^[/\\]/.test(name))
    return l10n.t('A path inside the open folder, such as sample.');
  return existsSync(join(root, name)) ? l10n.t('{0} already exists; choose another name.', name) : undefined;
}
