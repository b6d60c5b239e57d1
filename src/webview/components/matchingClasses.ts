/** Classes that have what was typed in their names: those first that begin with it, or in which a word does. */
export function matchingClasses<Class extends { folder: string; name: string }>(
  classes: readonly Class[],
  typed: string,
): Class[] {
  const wanted = typed.toLowerCase();
  const rank = ({ folder, name }: Class): number => {
    const names = [name.toLowerCase(), folder.toLowerCase()];
    if (names.includes(wanted)) return 0;
    if (names.some((each) => each.startsWith(wanted))) return 1;
    if (names.some((each) => each.includes(` ${wanted}`))) return 2;
    return names.some((each) => each.includes(wanted)) ? 3 : 4;
  };
  return classes.filter((each) => rank(each) < 4).sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}
