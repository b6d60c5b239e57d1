import { join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import { withProgress } from '../service/showProgress.ts';
import type { Parts } from '../parts.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { freeName, newFolderProblem, workspaceRoot } from './newFolder.ts';
import { registerCommand } from './registerCommand.ts';
import { inMessage } from '../plainText.ts';

type SampleParts = Pick<Parts, 'log' | 'service'> & { readonly dataFolders: DataFolders };

/** *Draw Sample Data Set*. */
export function registerDrawSample(parts: SampleParts): vscode.Disposable {
  return registerCommand('fivecrop.drawSample', parts.log, async () => {
    const folder = await drawSample(parts);
    const train = l10n.t('Train Model');
    const drawn = inMessage(l10n.t('Drew 300 flowers of five kinds into {0}.', folder));
    if ((await vscode.window.showInformationMessage(drawn, train)) === train) {
      await vscode.commands.executeCommand('fivecrop.trainOnFolder', vscode.Uri.file(folder), justDrawn);
    }
  });
}

/** Second argument of *Train Model on This Folder* for a sample that was just drawn. */
export const justDrawn = 'just drawn';

/** Draws the sample into a new folder of the workspace, without a question, and returns it. Throws a user error where nothing is open. */
export async function drawSampleHere(parts: Omit<SampleParts, 'log'>): Promise<string> {
  const root = workspaceRoot(nothingOpen());
  return drawInto(parts, join(root, freeName(root, 'sample')));
}

function nothingOpen(): string {
  return l10n.t('Open a folder first: the sample data set is drawn into it.');
}

/** Asks where, draws, and returns the folder. Throws a user error where nothing is open. */
async function drawSample(parts: Omit<SampleParts, 'log'>): Promise<string> {
  const root = workspaceRoot(nothingOpen());
  const name = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: l10n.t('Draw Sample Data Set'),
    prompt: inMessage(l10n.t('A new folder in {0}', root)),
    value: freeName(root, 'sample'),
    validateInput: (value) => newFolderProblem(root, value),
  });
  if (name === undefined) throw cancelled();
  return drawInto(parts, join(root, name));
}

async function drawInto({ service, dataFolders }: Omit<SampleParts, 'log'>, folder: string): Promise<string> {
  await withProgress(l10n.t('Sample data set'), (call) => service.request({ type: 'sample', folder }, call));
  await dataFolders.remember(folder);
  return folder;
}
