import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import { fromRow } from '../views/treeNodes.ts';
import { anyRun, chooseRun, chooseRuns } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';

type ShowParts = Pick<Parts, 'log' | 'runs' | 'panels'>;

/** *Show Run*, *Compare Runs* and *Compare Selected*. */
export function registerShowingRuns(parts: ShowParts): vscode.Disposable {
  const { log, panels } = parts;
  return vscode.Disposable.from(
    registerCommand('fivecrop.showRun', log, async (argument: unknown, how: unknown) => {
      const { folder } = await chooseRun(parts, argument, anyRun(l10n.t('Show which run?')));
      panels.showRuns([folder], { preserveFocus: how === fromRow });
    }),
    registerCommand('fivecrop.compareRuns', log, (argument: unknown) => compare(parts, argument, undefined)),
    registerCommand('fivecrop.compareSelected', log, (argument: unknown, selection: unknown) =>
      compare(parts, argument, selection),
    ),
  );
}

async function compare(parts: ShowParts, argument: unknown, selection: unknown): Promise<void> {
  const runs = await chooseRuns(parts, argument, selection, {
    title: l10n.t('Compare which runs?'),
    suits: () => true,
    none: l10n.t('To compare, you need two runs; Fivecrop: Train Model starts one.'),
  });
  parts.panels.showRuns(runs.map(({ folder }) => folder));
}
