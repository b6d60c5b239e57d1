import { join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { messageOf, userError } from '../../protocol/errors.ts';
import { visible } from '../../protocol/visibleText.ts';
import { inMessage } from '../plainText.ts';

export interface ExportedFile {
  /** What the dialog offers, without the format's ending. */
  readonly name: string;
  readonly format: 'csv' | 'png' | 'svg' | 'md' | 'json';
  /** Text, or base64 for PNG, as a page sends it. */
  readonly content: string;
  /** Title of the dialog. */
  readonly title: string;
  /** The folder that the dialog begins in; the workspace's without it. */
  readonly folder?: string | undefined;
  /** What else there is to know of it, as a sentence. */
  readonly note?: string;
}

/** A name from a run's record as that of a file in the folder that the dialog begins in. */
export function fileNameOf(name: string): string {
  return visible(name)
    .replace(/[<>:"/\\|?*]/g, '_')
    .replace(/^\.+/, '')
    .slice(0, 100);
}

/** Asks where to save, saves, and offers to open the file. Throws a user error if it cannot be written. */
export async function saveExport({ name, format, content, title, folder, note = '' }: ExportedFile): Promise<void> {
  const home = folder ?? vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const file = `${fileNameOf(name)}.${format}`;
  const target = await vscode.window.showSaveDialog({
    title,
    filters: { [format.toUpperCase()]: [format] },
    ...(home === undefined ? {} : { defaultUri: vscode.Uri.file(join(home, file)) }),
  });
  if (!target) return;
  try {
    await vscode.workspace.fs.writeFile(target, Buffer.from(content, format === 'png' ? 'base64' : 'utf8'));
  } catch (error) {
    throw userError(
      l10n.t('{0} cannot be written ({1}); choose another place.', target.fsPath, messageOf(error)),
      error,
    );
  }
  const open = l10n.t('Open');
  const chosen = await vscode.window.showInformationMessage(
    inMessage([l10n.t('Saved {0}.', target.fsPath), note].join(' ').trim()),
    open,
  );
  if (chosen === open) await vscode.commands.executeCommand('vscode.open', target);
}
