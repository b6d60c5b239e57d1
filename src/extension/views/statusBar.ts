import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { LiveRuns } from '../trainer/liveRuns.ts';
import type { RunStore } from '../trainer/runStore.ts';
import { statusText } from './formatRun.ts';
import { visible } from '../../protocol/visibleText.ts';
import { runTitle } from '../../protocol/runTitle.ts';

/** The status bar's entry while something trains: epoch, loss, time left; a click opens the run. */
export function registerStatusBar({ live, runs }: { live: LiveRuns; runs: RunStore }): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('fivecrop.training', vscode.StatusBarAlignment.Left, 0);
  item.name = 'Fivecrop';
  const show = (): void => {
    const [first, ...others] = live.all();
    if (first === undefined) {
      item.hide();
      return;
    }
    const run = runs.get(first.folder);
    const name = runTitle(run?.record.name ?? basename(first.folder));
    item.text = statusText(first, run?.state ?? 'running', run?.record.config.epochs, others.length);
    const names = [name, ...others.map(({ folder }) => runTitle(basename(folder)))].join(', ');
    item.tooltip = visible(
      others.length === 0
        ? l10n.t('{0} is training. Show the run', name)
        : l10n.t('{0} are training. Show the first', names),
    );
    item.command = { command: 'fivecrop.showRun', title: l10n.t('Show Run'), arguments: [first.folder] };
    item.accessibilityInformation = { label: `Fivecrop, ${name}: ${item.text.replace(/\$\([^)]*\) ?/g, '')}` };
    item.show();
  };
  return vscode.Disposable.from(item, live.onDidChange(show));
}
