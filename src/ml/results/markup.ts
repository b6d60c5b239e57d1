import { quoted } from '../../charts/svgText.ts';

/** HTML that is ours. Text becomes part of some through `html` alone, which escapes it. */
export interface Markup {
  readonly markup: string;
}

/** What stands between two pieces of HTML: text, which is escaped, other HTML, or nothing. */
export type Content = Markup | string | number | undefined | readonly Content[];

/** HTML from a template whose values are escaped, in element content and in attributes within double quotes alike. */
export function html(pieces: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return { markup: pieces.map((piece, index) => piece + written(contents[index])).join('') };
}

/** HTML or SVG that was made safe elsewhere. */
export function safe(markup: string): Markup {
  return { markup };
}

function written(content: Content): string {
  if (content === undefined) return '';
  if (typeof content === 'string' || typeof content === 'number') return quoted(String(content));
  return 'markup' in content ? content.markup : content.map(written).join('');
}
