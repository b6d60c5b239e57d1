import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { userError } from '../../protocol/errors.ts';
import { networkName } from '../../protocol/networkName.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { writeTrainingConfig } from './trainingConfigFile.ts';

/** Writes the settings into a new file of the workspace and opens it; its title bar has *Train with This File*. */
export function editSettings(config: GivenConfig): Promise<void> {
  const name = networkName(config.network).replace(/\.onnx$/iu, '');
  return openSettingsFile(`${name}-${config.method}`, (file) => writeTrainingConfig(config, file));
}

/** Writes a new `.fivecrop.json` file of the workspace, `name` or with a counter, and opens it. `textOf` gets its path. */
export async function openSettingsFile(name: string, textOf: (file: string) => string): Promise<void> {
  const root = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath;
  if (root === undefined) throw userError(l10n.t('Open a folder first: the file of settings is written into it.'));
  const file = freeFile(join(root, name));
  const uri = vscode.Uri.file(file);
  await vscode.workspace.fs.writeFile(uri, Buffer.from(textOf(file)));
  await vscode.window.showTextDocument(uri);
}

function freeFile(stem: string): string {
  for (let counter = 1; ; counter++) {
    const file = `${stem}${counter === 1 ? '' : `-${counter}`}.fivecrop.json`;
    if (!existsSync(file)) return file;
  }
}
