import { stat } from 'node:fs/promises';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { userError } from '../../protocol/errors.ts';
import { relativeTo, runLogLine } from '../../protocol/runLog.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { Parts } from '../parts.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { createRunEvents } from '../trainer/runEvents.ts';
import { nodeFrom } from '../views/treeNodes.ts';
import { chooseRun } from './chooseRun.ts';
import { configurationUri, registerConfigurationDocuments } from './configurationDocuments.ts';
import { registerCommand } from './registerCommand.ts';
import { createVirtualDocuments } from './virtualDocuments.ts';

/** *Show Configuration*, *Show Log of Run*, *Show Log*, *Reveal*, *Open Runs Folder* and *Refresh*. */
export function registerLookingAtRuns(
  parts: Pick<Parts, 'log' | 'runs' | 'trainers'> & { readonly dataFolders: DataFolders },
): vscode.Disposable {
  const { log, runs, dataFolders } = parts;
  const documents = createVirtualDocuments('fivecrop-log');
  return vscode.Disposable.from(
    documents,
    registerConfigurationDocuments(parts),
    registerCommand('fivecrop.showConfiguration', log, async (argument: unknown) => {
      const node = nodeFrom(argument);
      const shown =
        node?.kind === 'queued' ? node : await askForRun(parts, argument, l10n.t('Show configuration of which run?'));
      await vscode.window.showTextDocument(configurationUri(shown), { preview: true });
    }),
    registerCommand('fivecrop.showRunLog', log, async (argument: unknown) => {
      const run = await askForRun(parts, argument, l10n.t('Show log of which run?'));
      const events = createRunEvents(run.folder);
      await events.readOn();
      const lines = events.events.flatMap((event) => {
        const line = runLogLine(event);
        return line === undefined ? [] : `${line.time} ${line.level}: ${relativeTo(run.folder, line.message)}`;
      });
      if (events.isThinned) {
        lines.unshift(
          l10n.t('Only the last lines of a long log are shown; {0} in {1} has all.', runFiles.metrics, run.folder),
        );
      }
      await documents.show(
        `${runTitle(run.record.name)}.log`,
        `${lines.join('\n') || l10n.t('Nothing has been logged.')}\n`,
      );
    }),
    registerCommand('fivecrop.showLog', log, () => log.show()),
    registerCommand('fivecrop.refresh', log, () => {
      dataFolders.refresh();
      return runs.refresh();
    }),
    registerCommand('fivecrop.reveal', log, (argument: unknown) => reveal(argument)),
    registerCommand('fivecrop.openRunsFolder', log, async () => {
      const [folder] = runs.folders;
      if (folder === undefined) throw userError(l10n.t('Open a folder first: runs are kept inside it.'));
      const there = await stat(folder).catch(() => undefined);
      if (there === undefined)
        throw userError(l10n.t('There are no runs yet: {0} is created by the first one.', folder));
      await revealPath(folder);
    }),
  );
}

async function askForRun(parts: Pick<Parts, 'runs'>, argument: unknown, title: string) {
  const none = l10n.t('There are no runs here yet; Fivecrop: Train Model starts one.');
  const { folder, record } = await chooseRun(parts, argument, { title, suits: () => true, none });
  return { kind: 'run' as const, folder, record };
}

async function reveal(argument: unknown): Promise<void> {
  const node = nodeFrom(argument);
  if (node === undefined || node.kind === 'queued')
    throw userError(l10n.t('Choose a row of the Fivecrop views to reveal.'));
  await revealPath('path' in node ? node.path : node.folder);
}

/** In the editor's explorer where the path lies in the workspace, else in the system's own. */
async function revealPath(path: string): Promise<void> {
  const uri = vscode.Uri.file(path);
  const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
}
