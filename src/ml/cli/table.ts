/** A table as lines of text: columns padded to their widest cell, two spaces between them, the header first. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Classes that a table shows: what stands below it is not to be lost under thousands of them. */
const classesShown = 20;

/** A table of the first of the classes, with a line of how many more there are and what lists them. */
export function formatClasses(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  whole: string,
): string[] {
  const rest = rows.length - classesShown;
  const more = rest > 0 ? [`and ${rest} more ${rest === 1 ? 'class' : 'classes'}, which ${whole} lists`] : [];
  return [...formatTable(header, rows.slice(0, classesShown)), ...more];
}
