/** Names that are offered in place of one that is not there. */
const mostOffered = 3;

/** The known names that are likely meant by a wrong one, the likeliest first: those that hold it, else those a few letters away. */
export function nearNames(wrong: string, known: readonly string[]): readonly string[] {
  const small = wrong.toLowerCase();
  const bare = (name: string) => name.toLowerCase().replace(/^timm\//u, '');
  const rated = known.map((name) => ({ name, distance: distanceBetween(bare(small), bare(name)) }));
  const holding = small.length >= 3 ? rated.filter(({ name }) => bare(name).includes(bare(small))) : [];
  const near = rated.filter(({ distance }) => distance <= Math.max(2, Math.floor(small.length / 3)));
  return (holding.length > 0 ? holding : near)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, mostOffered)
    .map(({ name }) => name);
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
