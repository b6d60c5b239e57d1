import { join } from 'node:path';
import * as vscode from 'vscode';
import { messageOf, userError } from '../../protocol/errors.ts';
import { visible } from '../../protocol/visibleText.ts';
import { inMessage } from '../plainText.ts';

export interface ExportedFile {
  /** What the dialog offers. */
  readonly name: string;
  /** Title of the dialog. */
  readonly title?: string;
  /** The folder that the dialog begins in; the workspace's without it. */
  readonly folder?: string | undefined;
  /** What the format is called, and its ending. */
  readonly filters: Readonly<Record<string, string[]>>;
  readonly content: Uint8Array;
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
export async function saveExport({
  name,
  title = 'Export',
  folder,
  filters,
  content,
  note,
}: ExportedFile): Promise<void> {
  const home = folder ?? vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const target = await vscode.window.showSaveDialog({
    title,
    filters: { ...filters },
    ...(home === undefined ? {} : { defaultUri: vscode.Uri.file(join(home, name)) }),
  });
  if (!target) return;
  try {
    await vscode.workspace.fs.writeFile(target, content);
  } catch (error) {
    throw userError(`${target.fsPath} cannot be written (${messageOf(error)}); choose another place.`, error);
  }
  const open = 'Open';
  const chosen = await vscode.window.showInformationMessage(
    inMessage([`Saved ${target.fsPath}.`, note ?? ''].join(' ').trim()),
    open,
  );
  if (chosen === open) await vscode.commands.executeCommand('vscode.open', target);
}
