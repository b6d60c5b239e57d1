import { visible } from '../../protocol/visibleText.ts';

/** Sets the text of an element, hidden characters shown as symbols; the same text is not set twice. */
export function setText(target: { textContent: string | null }, text: string): void {
  const shown = visible(text);
  if (target.textContent !== shown) target.textContent = shown;
}
