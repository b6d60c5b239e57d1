import stringWidth from 'string-width';
import { visible } from '../../protocol/visibleText.ts';

/** Columns of the terminal that a cell may take: a name may have 255 characters. The last cell of a row may have any. */
const widestCell = 60;

/**
 * A table as lines of text: columns padded to their widest cell as a terminal shows it, two spaces between them, the header
 * first. Cells that are too wide end with an ellipsis.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const last = header.length - 1;
  const all = [header, ...rows].map((row) =>
    row.map((cell, column) => (column === last ? visible(cell) : shortened(visible(cell)))),
  );
  const widths = header.map((_, column) =>
    all.reduce((most, row) => Math.max(most, stringWidth(row[column] ?? '')), 0),
  );
  return all.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell))))
      .join('  ')
      .trimEnd(),
  );
}

function shortened(cell: string): string {
  if (stringWidth(cell) <= widestCell) return cell;
  let [kept, width] = ['', 0];
  for (const { segment } of new Intl.Segmenter().segment(cell)) {
    width += stringWidth(segment);
    if (width >= widestCell) break;
    kept += segment;
  }
  return `${kept}…`;
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
