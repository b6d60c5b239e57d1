import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled, messageOf, userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { visible } from '../../protocol/visibleText.ts';
import { nameProblem } from '../../runs/name.ts';
import { writeRunRecord } from '../../runs/record.ts';
import { renameTrialRun } from '../../runs/sweep.ts';
import type { Parts } from '../parts.ts';
import type { CheckpointRows } from '../views/checkpointsView.ts';
import { isByKey, nodeFrom } from '../views/treeNodes.ts';
import { chooseRun } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';
import { hasEnded, requireEnded } from './endedRun.ts';

type RenameParts = Pick<Parts, 'log' | 'runs' | 'panels'> & { readonly rows: CheckpointRows };

/** *Rename*. */
export function registerRenamingRun(parts: RenameParts): vscode.Disposable {
  return registerCommand('fivecrop.renameRun', parts.log, (argument: unknown) => renameRun(parts, argument));
}

const toRename = {
  title: l10n.t('Rename which run?'),
  suits: hasEnded,
  none: l10n.t('There is no run to rename: none is here, or all are still training.'),
};

async function renameRun({ runs, panels, rows }: RenameParts, argument: unknown): Promise<void> {
  const [row] = isByKey(argument) ? await rows.focused() : [argument];
  // Checkpoints are called by what they are, and a run that waits has no folder yet.
  if (isByKey(argument) && nodeFrom(row)?.kind !== 'run') return;
  const run = await chooseRun({ runs }, row, toRename);
  requireEnded(run);
  const parent = dirname(run.folder);
  const title = runTitle(run.record.name);
  const name = await vscode.window.showInputBox({
    ignoreFocusOut: true,
    title: visible(l10n.t('Rename {0}', title)),
    prompt: l10n.t('A new name for the run and its folder'),
    value: title,
    validateInput: (value) => nameProblem(value, parent, basename(run.folder)),
  });
  if (name === undefined || name === title) throw cancelled();
  const folder = join(parent, name);
  const move = async () => {
    await rename(run.folder, folder).catch((error: unknown) => {
      throw userError(l10n.t('{0} could not be renamed: {1}.', title, messageOf(error)), error);
    });
    await writeRunRecord(folder, { ...run.record, name, updated: new Date().toISOString() });
  };
  const sweep = runs.sweeps.ofRun(run.folder)?.folder;
  if (sweep === undefined) await move();
  else await renameTrialRun(sweep, { before: basename(run.folder), after: name }, move);
  await runs.refresh();
  panels.runRenamed(run.folder, folder);
}
