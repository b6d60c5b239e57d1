import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { relativeTo, runLogLine } from '../../protocol/runLog.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { Parts } from '../parts.ts';
import { createRunEvents } from '../trainer/runEvents.ts';
import { anyRun, chooseRun } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';
import { createVirtualDocuments } from './virtualDocuments.ts';

/** *Show Log of Run*. */
export function registerShowRunLog(parts: Pick<Parts, 'log' | 'runs'>): vscode.Disposable {
  const documents = createVirtualDocuments('fivecrop-log');
  return vscode.Disposable.from(
    documents,
    registerCommand('fivecrop.showRunLog', parts.log, async (argument: unknown) => {
      const run = await chooseRun(parts, argument, anyRun(l10n.t('Show log of which run?')));
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
  );
}
