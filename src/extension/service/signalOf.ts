import type * as vscode from 'vscode';

/** What VS Code cancels by a token, as all of our work is cancelled. The token's owner ends the link. */
export function signalOf(token: vscode.CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
