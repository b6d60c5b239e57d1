import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import { inLabel } from '../plainText.ts';

/** Asks for one of the data folders in use; the only one is taken without a question. Throws if there is none. */
export async function chooseData(title: string, folders: readonly string[]): Promise<string> {
  const [only, ...others] = folders;
  if (only === undefined) throw userError(l10n.t('There is no folder of images in the list yet; Add Folder adds one.'));
  if (others.length === 0) return only;
  const items = folders.map((folder) => ({ label: inLabel(basename(folder)), description: inLabel(folder), folder }));
  const picked = await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true, matchOnDescription: true });
  if (picked === undefined) throw cancelled();
  return picked.folder;
}
