import { basename, dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { cancelled } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Parts } from '../parts.ts';
import { inMessage } from '../plainText.ts';
import { requireTrust } from '../requireTrust.ts';
import { withProgress } from '../service/showProgress.ts';
import { anyRun, chooseRun } from './chooseRun.ts';
import { registerCommand } from './registerCommand.ts';

/** *Export Run as HTML Page*. */
export function registerExportingPage({
  log,
  runs,
  service,
}: Pick<Parts, 'log' | 'runs' | 'service'>): vscode.Disposable {
  return registerCommand('fivecrop.exportPage', log, async (argument: unknown) => {
    requireTrust('exporting');
    const run = await chooseRun({ runs }, argument, anyRun(l10n.t('Export which run as an HTML page?')));
    const target = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.file(join(dirname(run.folder), `${basename(run.folder)}.html`)),
      filters: { HTML: ['html'] },
      title: visible(l10n.t('Export {0} as an HTML page', runTitle(run.record.name))),
    });
    if (!target) throw cancelled();
    const output = target.fsPath;
    await withProgress(l10n.t('Exporting {0}', basename(output)), (call) =>
      service.request({ type: 'page', run: run.folder, output }, call),
    );
    const open = l10n.t('Open');
    const message = l10n.t('{0} holds the run in one file, to be read in any browser.', inMessage(basename(output)));
    if ((await vscode.window.showInformationMessage(message, open)) === open) await vscode.env.openExternal(target);
  });
}
