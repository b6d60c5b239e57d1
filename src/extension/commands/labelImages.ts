import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { inLabel } from '../plainText.ts';
import { requireTrust } from '../requireTrust.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { looksLikeData } from '../views/listData.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { chooseFolder } from './chooseFolder.ts';
import { registerCommand } from './registerCommand.ts';

type LabelParts = Pick<Parts, 'log' | 'panels' | 'runs'> & { readonly dataFolders: DataFolders };

/**
 * *Label Images*: for a data folder in the tree, of a folder in the explorer, which is the data if there are classes in it,
 * or of folders that are asked for.
 */
export function registerLabelImages({ log, panels, runs, dataFolders }: LabelParts): vscode.Disposable {
  return registerCommand('fivecrop.labelImages', log, async (argument: unknown) => {
    requireTrust('checkingData');
    const node = nodeFrom(argument);
    const folder = argument instanceof vscode.Uri ? argument.fsPath : undefined;
    const isData = folder !== undefined && (await looksLikeData(folder));
    await runs.load();
    const named = node?.kind === 'data' ? node.folder : isData ? folder : undefined;
    const data = named ?? (await chooseLabelled(dataFolders.all().filter((each) => each !== folder)));
    const unlabelled = isData ? undefined : folder;
    const chosen = unlabelled ?? (await chooseFolder({ title: l10n.t('Choose the folder of images to label'), openLabel: l10n.t('Label') })); // prettier-ignore
    if (chosen === undefined) throw cancelled();
    if (await looksLikeData(data)) await dataFolders.remember(data);
    panels.labelImages(data, chosen);
  });
}

/** Asks for the folder whose classes the images are to have. */
async function chooseLabelled(folders: readonly string[]): Promise<string> {
  const another = { label: l10n.t('Another folder...'), iconPath: new vscode.ThemeIcon('folder'), folder: undefined };
  const items = folders.map((folder) => ({ label: inLabel(basename(folder)), description: inLabel(folder), folder }));
  const title = l10n.t('Label images for which data?');
  const picked = folders.length === 0 ? another : await vscode.window.showQuickPick([...items, another], { title, ignoreFocusOut: true, matchOnDescription: true }); // prettier-ignore
  if (picked === undefined) throw cancelled();
  const chosen = picked.folder ?? (await chooseFolder({ title: l10n.t('Choose the folder with the classes; it may be empty'), openLabel: l10n.t('Choose') })); // prettier-ignore
  if (chosen === undefined) throw cancelled();
  return chosen;
}
