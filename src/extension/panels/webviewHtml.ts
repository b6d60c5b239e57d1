export interface PageSource {
  /** Title of the document, for screen readers. */
  readonly title: string;
  /** The panel's own name, by which it finds what it showed after a reload of the window. */
  readonly panel: string;
  /** What the editor calls the origin of its resources. */
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
  /** The display language, as BCP 47 writes it. */
  readonly language: string;
  /** Translations by English text; undefined in English. */
  readonly texts: Readonly<Record<string, string>> | undefined;
  /** Unguessable and new for every page. */
  readonly nonce: string;
}

/** The editor offers Cut, Copy and Paste on any click otherwise. */
const menus = JSON.stringify({ preventDefaultContextMenuItems: true });

/**
 * The document of a page. Nothing may be loaded but the page's own script and style; pictures come as data, and styles
 * that the components make bear the nonce.
 */
export function webviewHtml({ title, panel, cspSource, script, style, language, texts, nonce }: PageSource): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `img-src ${cspSource} data: blob:`,
    'font-src data:',
  ].join('; ');
  const translations = texts === undefined ? '' : ` data-texts="${escapeHtml(JSON.stringify(texts))}"`;
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${escapeHtml(style)}">
</head>
<body data-panel="${escapeHtml(panel)}"${translations} data-vscode-context="${escapeHtml(menus)}">
<div id="root"></div>
<script nonce="${nonce}" src="${escapeHtml(script)}"></script>
</body>
</html>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
