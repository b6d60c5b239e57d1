/** Names that are offered in place of one that is not there. */
const mostOffered = 3;
/** Fewer letters than this abbreviate too many names. */
const leastAbbreviation = 4;

/**
 * The known names that are likely meant by a wrong one, the likeliest first. Capitals and separators do not count. Those that
 * are the same otherwise come first, then those whose parts begin as those of the wrong name (`vit_large` and `vit_l_16`) or
 * hold them, then those that hold the whole of it or begin it, then those that it abbreviates (`effnetb0`), and then those
 * that are a few letters away.
 */
export function nearNames(wrong: string, known: readonly string[]): readonly string[] {
  const [small, parts] = [bare(wrong), partsOf(wrong)];
  const rated = known
    .map((name) => ({ name, letters: bare(name), distance: distanceBetween(small, bare(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const ways: ((letters: string, distance: number, name: string) => boolean)[] = [
    (letters) => letters === small,
    (letters, _, name) =>
      parts.length > 1 && (beginAlike(parts, partsOf(name)) || parts.every((part) => letters.includes(part))),
    (letters) => small.length >= 3 && (letters.includes(small) || small.startsWith(letters)),
    (letters) => small.length >= leastAbbreviation && abbreviates(small, letters),
    (_, distance) => distance <= Math.max(2, Math.floor(small.length / 3)),
  ];
  for (const likely of ways) {
    const found = rated.filter(({ letters, distance, name }) => likely(letters, distance, name));
    if (found.length > 0) return found.slice(0, mostOffered).map(({ name }) => name);
  }
  return [];
}

/** The letters and digits of a name. */
function bare(name: string): string {
  return partsOf(name).join('');
}

/** The parts of a name between its separators. */
function partsOf(name: string): string[] {
  return name
    .toLowerCase()
    .replace(/^timm\//u, '')
    .split(/[^\p{L}\d]+/u)
    .filter((part) => part !== '');
}

/** Whether each part of a name is the beginning of the part at the same place in another, or begins with it. */
function beginAlike(parts: readonly string[], others: readonly string[]): boolean {
  return parts.every((part, index) => {
    const other = others[index];
    return other !== undefined && (other.startsWith(part) || part.startsWith(other));
  });
}

/** Whether `short` has the first letter of `long`, and all its others in their order. */
function abbreviates(short: string, long: string): boolean {
  if (!long.startsWith(short.slice(0, 1))) return false;
  let at = 0;
  for (const letter of short) {
    at = long.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/** Letters to insert, delete or replace to make one text of the other (Levenshtein 1966). */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
