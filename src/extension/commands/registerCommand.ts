import * as vscode from 'vscode';
import { CancelledError, messageOf, UserError } from '../../protocol/errors.ts';

/**
 * Registers a command whose failures are shown: a user error as its sentence, a cancellation not at all, anything else
 * as a bug of ours with the log a click away.
 */
export function registerCommand(
  id: string,
  log: vscode.LogOutputChannel,
  handler: (...args: readonly unknown[]) => unknown,
): vscode.Disposable {
  return vscode.commands.registerCommand(id, async (...args: readonly unknown[]) => {
    try {
      return await handler(...args);
    } catch (error) {
      await showFailure(error, log);
      return undefined;
    }
  });
}

/** Shows what was thrown, as `registerCommand` does. */
export async function showFailure(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  if (error instanceof CancelledError || error instanceof vscode.CancellationError) return;
  if (error instanceof UserError) {
    log.warn(error.message);
    void vscode.window.showErrorMessage(error.message);
    return;
  }
  log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const showLog = 'Show Log';
  const message = `Something in Fivecrop went wrong: ${messageOf(error)}`;
  if ((await vscode.window.showErrorMessage(message, showLog)) === showLog) log.show();
}
