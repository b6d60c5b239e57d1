import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { connectPage, type PageConnection, type PageListener } from './pageConnection.ts';
import { webviewHtml } from './webviewHtml.ts';
import type { Log } from '../log.ts';

/** The pages of `src/webview`. */
export type PageName =
  'training' | 'prediction' | 'evaluation' | 'cleaning' | 'featureMap' | 'labelling' | 'dryRun' | 'sweep';

export interface PageHost<FromPage> extends Omit<PageListener<FromPage>, 'onMisfit'> {
  readonly name: PageName;
  /** The panel's own name: see `panelMemory.ts`. */
  readonly panelId: string;
  readonly log: Log;
}

/** Type of a page's panels, as the editor keeps them over a reload. */
export function viewType(page: PageName): string {
  return `fivecrop.${page}`;
}

/** A panel beside or over what is open, without a page yet. */
export function createPanel(page: PageName, title: string, preserveFocus = false): vscode.WebviewPanel {
  return vscode.window.createWebviewPanel(viewType(page), title, {
    viewColumn: vscode.ViewColumn.Active,
    preserveFocus,
  });
}

/** Puts a page into a panel, new or come back after a reload, and connects it. Ends with the panel. */
export function hostPage<ToPage, FromPage extends { readonly type: string }>(
  panel: vscode.WebviewPanel,
  { extensionUri }: vscode.ExtensionContext,
  { name, panelId, log, ...listener }: PageHost<FromPage>,
): PageConnection<ToPage> {
  const { webview } = panel;
  const pages = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
  webview.options = {
    enableScripts: true,
    localResourceRoots: [pages, vscode.Uri.joinPath(extensionUri, 'media')],
  };
  panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'panel.svg');
  const connection = connectPage<ToPage, FromPage>(webview, {
    ...listener,
    onMisfit: (reason) => log.error(`The ${name} page sent what does not fit the protocol: ${reason}`),
  });
  const visibility = panel.onDidChangeViewState(() => {
    if (!panel.visible) connection.sleep();
  });
  panel.onDidDispose(() => {
    visibility.dispose();
    connection.dispose();
  });
  webview.html = webviewHtml({
    title: panel.title,
    panel: panelId,
    cspSource: webview.cspSource,
    script: webview.asWebviewUri(vscode.Uri.joinPath(pages, `${name}.js`)).toString(),
    style: webview.asWebviewUri(vscode.Uri.joinPath(pages, `${name}.css`)).toString(),
    language: vscode.env.language,
    texts: vscode.l10n.bundle,
    nonce: randomBytes(18).toString('base64url'),
  });
  return connection;
}
