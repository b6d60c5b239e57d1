import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { registerCommand } from './registerCommand.ts';
import { inMessage } from '../plainText.ts';

type SampleParts = Pick<Parts, 'log' | 'service'> & { readonly dataFolders: DataFolders };

/** *Draw Sample Data Set*. */
export function registerDrawSample(parts: SampleParts): vscode.Disposable {
  return registerCommand('fivecrop.drawSample', parts.log, async () => {
    const folder = await drawSample(parts);
    const train = 'Train Model';
    if (
      (await vscode.window.showInformationMessage(inMessage(`300 flowers of five kinds lie in ${folder}.`), train)) ===
      train
    ) {
      await vscode.commands.executeCommand('fivecrop.trainOnFolder', vscode.Uri.file(folder));
    }
  });
}

/** Asks where, draws, and returns the folder. Throws a user error where nothing is open. */
export async function drawSample({ service, dataFolders }: Omit<SampleParts, 'log'>): Promise<string> {
  const root = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath;
  if (root === undefined) throw userError('Open a folder first: the sample data set is drawn into it.');
  const name = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: 'Draw Sample Data Set',
    prompt: inMessage(`A new folder in ${root}`),
    value: freeName(root),
    validateInput: (value) => folderProblem(root, value),
  });
  if (name === undefined) throw cancelled();
  const folder = join(root, name);
  const progress = { location: vscode.ProgressLocation.Notification, title: 'Drawing flowers', cancellable: true };
  await vscode.window.withProgress(progress, (_, token) => service.request({ type: 'sample', folder }, { token }));
  await dataFolders.remember(folder);
  return folder;
}

function freeName(root: string): string {
  for (let counter = 1; ; counter++) {
    const name = counter === 1 ? 'sample' : `sample-${counter}`;
    if (!existsSync(join(root, name))) return name;
  }
}

function folderProblem(root: string, name: string): string | undefined {
  if (name.trim() === '' || /[<>:"|?*]|\.\.|^[/\\]/.test(name)) return 'A path inside the open folder, such as sample.';
  return existsSync(join(root, name)) ? `${name} is there already; choose another name.` : undefined;
}
