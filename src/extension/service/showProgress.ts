import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { createProgressWords } from '../../protocol/progressWords.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { ServiceCall } from '../parts.ts';
import { signalOf } from './signalOf.ts';

/**
 * Does something for which the service is asked, under a notification that says how far it is and how much time is left,
 * and that can cancel it. `title` is in sentence case.
 */
export async function withProgress<Result>(
  title: string,
  work: (call: ServiceCall) => Thenable<Result>,
): Promise<Result> {
  const options = { location: vscode.ProgressLocation.Notification, title: visible(title), cancellable: true };
  return vscode.window.withProgress(options, (progress, token) => {
    const words = createProgressWords((time) => l10n.t('{0} left', time));
    let shown = 0;
    return work({
      signal: signalOf(token),
      onAnswer: (answer) => {
        if (answer.type !== 'progress') return;
        const percent = answer.total === undefined ? 0 : (100 * answer.done) / Math.max(1, answer.total);
        progress.report({ message: visible(words(answer)), increment: Math.max(0, percent - shown) });
        shown = Math.max(shown, percent);
      },
    });
  });
}
