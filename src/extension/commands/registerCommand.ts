import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { CancelledError, messageOf, UserError } from '../../protocol/errors.ts';
import { inMessage } from '../plainText.ts';
import type { Log } from '../log.ts';

type Handler = (...args: readonly unknown[]) => unknown;

const handlers = new Map<string, Handler>();

/**
 * Says what a command of package.json does; `main.ts` has registered its name. Failures are shown: a user error as its
 * sentence, a cancellation not at all, anything else as a bug of ours with the log a click away.
 */
export function registerCommand(id: string, log: Log, handler: Handler): vscode.Disposable {
  handlers.set(id, async (...args) => {
    try {
      return await handler(...args);
    } catch (error) {
      await showFailure(error, log);
      return undefined;
    }
  });
  return new vscode.Disposable(() => handlers.delete(id));
}

/** Runs a command that has been registered. */
export function runRegistered(id: string, args: readonly unknown[]): unknown {
  const handler = handlers.get(id);
  if (handler === undefined) throw new Error(`nothing is registered for ${id}`);
  return handler(...args);
}

/** Shows what was thrown, as `registerCommand` does. */
export async function showFailure(error: unknown, log: Log): Promise<void> {
  if (error instanceof CancelledError || error instanceof vscode.CancellationError) return;
  if (error instanceof UserError) {
    log.warn(error.message);
    void vscode.window.showErrorMessage(inMessage(error.message));
    return;
  }
  log.error(error instanceof Error ? error : String(error));
  const showLog = l10n.t('Show Log');
  const message = inMessage(l10n.t('Something went wrong in Fivecrop: {0}', messageOf(error)));
  if ((await vscode.window.showErrorMessage(message, showLog)) === showLog) log.show();
}
