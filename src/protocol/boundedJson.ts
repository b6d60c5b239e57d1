/** More than any file of ours or of our users holds. */
const mostValues = 2_000_000;
const deepest = 64;

/**
 * Parses JSON that comes from a file. Throws an error whose message is a clause (`it names "epochs" twice`) where the text
 * is not JSON, holds more than any file of ours, or names one key of an object twice, of which readers take one or the
 * other.
 */
export function parseBoundedJson(text: string): unknown {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  checkStructure(plain);
  try {
    return JSON.parse(plain);
  } catch (cause) {
    throw new Error('it is not valid JSON', { cause });
  }
}

/** Objects and lists are counted before they are made. What is no JSON at all is left to the parser. */
function checkStructure(text: string): void {
  /** Keys of the objects that are open; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys && isKey(text, end)) addKey(keys, text.slice(at, end));
      at = end - 1;
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      if (open.length > deepest) throw new Error('its objects or lists are nested too deeply');
      values++;
    } else if (character === '}' || character === ']') open.pop();
    else if (character === ',') values++;
    if (values > mostValues) throw new Error(`it holds more than ${mostValues} values`);
  }
}

/** The place behind the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let at = end;
  while (/\s/u.test(text[at] ?? '')) at++;
  return text[at] === ':';
}

function addKey(keys: Set<string>, quoted: string): void {
  let key: string;
  try {
    key = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
  } catch {
    return;
  }
  if (keys.has(key)) throw new Error(`it names ${JSON.stringify(key.slice(0, 100))} twice`);
  keys.add(key);
}
