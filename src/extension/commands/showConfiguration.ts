import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { anyRun, chooseRun } from './chooseRun.ts';
import { configurationUri, registerConfigurationDocuments } from './configurationDocuments.ts';
import { registerCommand } from './registerCommand.ts';

/** *Show Configuration*. */
export function registerShowConfiguration(parts: Pick<Parts, 'log' | 'runs' | 'trainers'>): vscode.Disposable {
  return vscode.Disposable.from(
    registerConfigurationDocuments(parts),
    registerCommand('fivecrop.showConfiguration', parts.log, async (argument: unknown) => {
      const node = nodeFrom(argument);
      const shown = node?.kind === 'queued' ? node : await chosenRun(parts, argument);
      await vscode.window.showTextDocument(configurationUri(shown), { preview: true });
    }),
  );
}

async function chosenRun(parts: Pick<Parts, 'runs'>, argument: unknown) {
  const { folder } = await chooseRun(parts, argument, anyRun(l10n.t('Show configuration of which run?')));
  return { kind: 'run' as const, folder };
}
