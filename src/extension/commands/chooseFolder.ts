import * as vscode from 'vscode';

/** Asks for a folder with the editor's own dialog; undefined if it is closed. */
export async function chooseFolder(question: {
  readonly title: string;
  readonly openLabel: string;
}): Promise<string | undefined> {
  const options = { canSelectFolders: true, canSelectFiles: false, ...question };
  return (await vscode.window.showOpenDialog(options))?.[0]?.fsPath;
}
