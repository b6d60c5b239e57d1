import { visible } from '../../protocol/visibleText.ts';

/** Text that Markdown takes for text and nothing else, on one line. */
export function plainMarkdown(text: string): string {
  return visible(text.replace(/\s+/gu, ' ')).replace(/[\\`*{}[\]()#+!|<>~&$]|(?<!\w)_|_(?!\w)/gu, '\\$&');
}

/** A table; its cells are text. The columns after the first `names` hold numbers. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[], names = 1): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = header.map((_, column) => (column < names ? ':--' : '--:'));
  return [header.map(plainMarkdown), rule, ...rows.map((row) => row.map(plainMarkdown))].map(line).join('\n');
}
