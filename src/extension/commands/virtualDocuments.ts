import * as vscode from 'vscode';

/** Texts that can be read but not changed, under an address of their own; forgotten when their editor closes. */
export interface VirtualDocuments {
  /** Opens `content` in an editor. `name` is the file name that its tab shows and by which its language is found. */
  readonly show: (name: string, content: string) => Promise<void>;
  readonly dispose: () => void;
}

export function createVirtualDocuments(scheme: string): VirtualDocuments {
  const contents = new Map<string, string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const registrations = vscode.Disposable.from(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(scheme, {
      onDidChange: changed.event,
      provideTextDocumentContent: (uri) => contents.get(uri.path) ?? '',
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === scheme) contents.delete(uri.path);
    }),
  );
  return {
    show: async (name, content) => {
      const uri = vscode.Uri.from({ scheme, path: `/${name}` });
      contents.set(uri.path, content);
      changed.fire(uri);
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
    },
    dispose: () => void registrations.dispose(),
  };
}
