import * as vscode from 'vscode';

/** Of dropped URIs those that are files here: the browser workbench calls them by the name of its remote. */
export function localFiles(uris: readonly string[]): string[] {
  const parsed = uris.flatMap((uri) => {
    try {
      return [vscode.Uri.parse(uri, true)];
    } catch {
      return [];
    }
  });
  return parsed.filter(({ scheme }) => scheme === 'file' || scheme === 'vscode-remote').map(({ fsPath }) => fsPath);
}
