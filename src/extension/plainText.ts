import { visible } from '../protocol/visibleText.ts';

/**
 * Text from files in the places where the editor reads more than text: links that run commands in messages, pictures in
 * labels, Markdown in hovers and previews.
 */

/** In a notification, a prompt or a validation message: `[text](command:...)` is no link there. */
export function inMessage(text: string): string {
  return visible(text).replaceAll('](', '] (');
}

/** In a label of a list or of the status bar: `$(name)` is no picture there. */
export function inLabel(text: string): string {
  return visible(text).replace(/\$\([\w~-]+\)/g, '\\$&');
}

/** In Markdown: text, never markup, and on one line. An underscore inside a word is none there anyway. */
export function inMarkdown(text: string): string {
  return visible(text.replace(/\s+/g, ' ')).replace(/[\\`*{}[\]()#+!|<>~&$]|(?<!\w)_|_(?!\w)/g, '\\$&');
}

/** In Markdown, a path as code. */
export function inCode(text: string): string {
  return text.includes('`') ? inMarkdown(text) : `\`${visible(text)}\``;
}
