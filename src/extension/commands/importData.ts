import { basename, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import type { ImportedData } from '../../protocol/importedData.ts';
import { someOf } from '../../protocol/someOf.ts';
import type { Parts } from '../parts.ts';
import { inMessage } from '../plainText.ts';
import { requireTrust } from '../requireTrust.ts';
import { answerOf } from '../service/answerOf.ts';
import { withProgress } from '../service/showProgress.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { chooseFolder } from './chooseFolder.ts';
import { freeName, newFolderProblem, workspaceRoot } from './newFolder.ts';
import { registerCommand } from './registerCommand.ts';

type ImportParts = Pick<Parts, 'log' | 'service'> & { readonly dataFolders: DataFolders };

/** *Import Data Set*. */
export function registerImportData(parts: ImportParts): vscode.Disposable {
  return registerCommand('fivecrop.importData', parts.log, () => importData(parts));
}

async function importData({ log, service, dataFolders }: ImportParts): Promise<void> {
  requireTrust('importing');
  const root = workspaceRoot(l10n.t('Open a folder first: the data set is imported into it.'));
  const source = await chooseSource();
  const folder = join(root, await askName(root, source));
  const { imported } = await withProgress(l10n.t('Importing data set'), (call) =>
    answerOf(service, { type: 'import', source, folder }, 'imported', call),
  );
  await dataFolders.remember(imported.folder);
  for (const note of imported.notes) log.info(note);
  for (const { reason, files } of imported.left) log.warn(`${files.length} left out of ${source}: ${reason} (${someOf(files, 20)})`); // prettier-ignore
  const [train, show, openLog] = [l10n.t('Train Model'), l10n.t('Show What Is in the Data'), l10n.t('Show Log')];
  const actions = imported.left.length > 0 ? [train, openLog] : [train, show];
  const chosen = await vscode.window.showInformationMessage(inMessage(importedSentence(imported)), ...actions);
  if (chosen === train) await vscode.commands.executeCommand('fivecrop.trainOnFolder', vscode.Uri.file(folder));
  if (chosen === show) await vscode.commands.executeCommand('fivecrop.showData');
  if (chosen === openLog) log.show();
}

function importedSentence({ folder, images, classes, left }: ImportedData): string {
  const count = left.reduce((sum, { files }) => sum + files.length, 0);
  const done = images === 1 ? l10n.t('Imported 1 image into {0}.', folder) : l10n.t('Imported {0} images of {1} classes into {2}.', images, classes, folder); // prettier-ignore
  if (count === 0) return done;
  return `${done} ${count === 1 ? l10n.t('1 file was left out.') : l10n.t('{0} files were left out.', count)}`;
}

/** Dialogs of most systems choose either files or folders. */
async function chooseSource(): Promise<string> {
  const file = { label: l10n.t('Archive or Table...'), detail: l10n.t('A zip or tar archive, CSV, JSON lines, or COCO’s annotations'), isFile: true }; // prettier-ignore
  const folder = { label: l10n.t('Folder...'), detail: l10n.t('Folders of classes or splits, or images with a table of their labels'), isFile: false }; // prettier-ignore
  const title = l10n.t('Import Data Set');
  const kind = await vscode.window.showQuickPick([file, folder], { title, ignoreFocusOut: true });
  if (kind === undefined) throw cancelled();
  const openLabel = l10n.t('Import');
  const source = kind.isFile ? await chooseFile(title, openLabel) : await chooseFolder({ title, openLabel });
  if (source === undefined) throw cancelled();
  return source;
}

async function chooseFile(title: string, openLabel: string): Promise<string | undefined> {
  const filters = {
    [l10n.t('Archives and tables')]: ['zip', 'tar', 'gz', 'tgz', 'zst', 'csv', 'tsv', 'txt', 'jsonl', 'ndjson', 'json'],
    [l10n.t('All files')]: ['*'],
  };
  return (await vscode.window.showOpenDialog({ title, openLabel, filters }))?.[0]?.fsPath;
}

async function askName(root: string, source: string): Promise<string> {
  const stem = basename(source).replace(/\.(?:tar\.)?[^.]+$/u, '');
  const name = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: l10n.t('Import Data Set'),
    prompt: inMessage(l10n.t('A new folder in {0}', root)),
    value: freeName(root, stem === '' || stem.startsWith('.') ? 'data' : stem),
    validateInput: (value) => newFolderProblem(root, value),
  });
  if (name === undefined) throw cancelled();
  return name;
}
