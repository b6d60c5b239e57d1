import * as l10n from '@vscode/l10n';
import type * as vscode from 'vscode';
import { cancelled, userError } from '../../protocol/errors.ts';
import type { Log } from '../log.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { looksLikeData } from '../views/listData.ts';
import { chooseFolder } from './chooseFolder.ts';
import { registerCommand } from './registerCommand.ts';

/** *Add Folder*. */
export function registerAddData({
  log,
  dataFolders,
}: {
  readonly log: Log;
  readonly dataFolders: DataFolders;
}): vscode.Disposable {
  return registerCommand('fivecrop.addData', log, () => addFolder(dataFolders));
}

async function addFolder(dataFolders: DataFolders): Promise<void> {
  const folder = await chooseFolder({ title: l10n.t('Add a folder of images'), openLabel: l10n.t('Add') });
  if (folder === undefined) throw cancelled();
  if (!(await looksLikeData(folder))) {
    throw userError(
      l10n.t('{0} has no folders of images: there has to be one per class, also inside train and valid.', folder),
    );
  }
  await dataFolders.remember(folder);
}
