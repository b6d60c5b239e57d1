/**
 * What the editor's context menu knows of an element: package.json shows its entries by `webviewSection`, and a command
 * gets the rest.
 */
export function menuContext(webviewSection: string, more: Record<string, string> = {}): Record<string, string> {
  return { 'data-vscode-context': JSON.stringify({ webviewSection, ...more }) };
}
