import { mostClasses } from '../../protocol/bounded.ts';

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };

/**
 * The names of a dictionary as Python's `repr` writes it, `{0: 'cat', 1: "dog's"}`, by number; undefined for any other text,
 * and where the numbers are not 0 to one less than there are. Nothing is evaluated.
 */
export function pythonNames(text: string): readonly string[] | undefined {
  const entry = /\s*(\d{1,6})\s*:\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")\s*(,|\}$)/suy;
  const names: string[] = [];
  const body = text.trim();
  if (!body.startsWith('{')) return undefined;
  entry.lastIndex = 1;
  while (entry.lastIndex < body.length) {
    const [, key, single, double] = entry.exec(body) ?? [];
    if (Number(key) !== names.length || names.length === mostClasses) return undefined;
    names.push(unescaped(single ?? double ?? ''));
  }
  return names.length > 0 && body.endsWith('}') ? names : undefined;
}

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gsu,
    (_, x?: string, u?: string, long?: string, other?: string) => {
      const code = x ?? u ?? long;
      if (code === undefined) return escapes[other ?? ''] ?? `\\${other ?? ''}`;
      const point = parseInt(code, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : '\uFFFD';
    },
  );
}
