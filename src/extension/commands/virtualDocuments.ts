import * as vscode from 'vscode';
import { fileNameOf } from '../panels/saveExport.ts';

/** Texts that can be read but not changed, under an address of their own. */
export interface VirtualDocuments {
  /** Opens `content` in an editor. `name` is the file name that its tab shows and by which its language is found. */
  readonly show: (name: string, content: string) => Promise<void>;
  /** Opens Markdown as it is meant to be read; as text where the editor's own preview is switched off. */
  readonly preview: (name: string, content: string) => Promise<void>;
  readonly dispose: () => void;
}

export function createVirtualDocuments(scheme: string): VirtualDocuments {
  const contents = new Map<string, string>();
  /** A preview reads its text again when nobody has it open any more. */
  const previewed = new Set<string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const registrations = vscode.Disposable.from(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(scheme, {
      onDidChange: changed.event,
      provideTextDocumentContent: (uri) => contents.get(uri.path) ?? '',
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === scheme && !previewed.has(uri.path)) contents.delete(uri.path);
    }),
  );
  const publish = (name: string, content: string): vscode.Uri => {
    const uri = vscode.Uri.from({ scheme, path: `/${fileNameOf(name)}` });
    contents.set(uri.path, content);
    changed.fire(uri);
    return uri;
  };
  const show = async (uri: vscode.Uri): Promise<void> => {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  };
  return {
    show: (name, content) => show(publish(name, content)),
    preview: async (name, content) => {
      const uri = publish(name, content);
      previewed.add(uri.path);
      try {
        await vscode.commands.executeCommand('markdown.showPreview', uri);
      } catch {
        await show(uri);
      }
    },
    dispose: () => void registrations.dispose(),
  };
}
