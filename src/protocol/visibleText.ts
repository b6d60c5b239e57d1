/**
 * Characters that move the cursor, colour or reorder text, break a line, or take no room, so that a name could show as
 * another one: controls, line separators, marks of direction, and what is invisible. The joiners U+200C and U+200D stay:
 * scripts and emoji need them.
 */
const hidden =
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Text from files as one line that a terminal, a log or a label shows and does not obey: hidden characters as symbols. */
export function visible(text: string): string {
  return text.replace(hidden, symbolOf);
}

/** The same for text of several lines that are our own, such as a stack: line ends stay. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** Controls as Unicode's pictures of them, everything else as its number. */
function symbolOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/** A value as JSON on one line in which every hidden character is an escape: the same value, safe to print. */
export function visibleJson(value: object): string {
  return JSON.stringify(value).replace(hidden, (character) =>
    Array.from({ length: character.length }, (_, at) => escapeOf(character.charCodeAt(at))).join(''),
  );
}

function escapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
