import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { chooseData } from './chooseData.ts';
import { registerCommand } from './registerCommand.ts';

type CleanParts = Pick<Parts, 'log' | 'panels' | 'runs'> & { readonly dataFolders: DataFolders };

/** *Clean Data*: of a folder in the tree or the explorer, or of one that is asked for. */
export function registerCleanData({ log, panels, runs, dataFolders }: CleanParts): vscode.Disposable {
  return registerCommand('fivecrop.cleanData', log, async (argument: unknown) => {
    requireTrust('checkingData');
    const node = nodeFrom(argument);
    if (argument instanceof vscode.Uri) await dataFolders.remember(argument.fsPath);
    await runs.load();
    const named = argument instanceof vscode.Uri ? argument.fsPath : node?.kind === 'data' ? node.folder : undefined;
    panels.cleanData(named ?? (await chooseData(l10n.t('Clean which folder?'), dataFolders.all())));
  });
}
