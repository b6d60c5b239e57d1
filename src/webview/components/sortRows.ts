/** Rows in the order of a value; equal ones keep theirs. Text is compared as people do: `2` before `10`. */
export function sortedRows<Row>(
  rows: readonly Row[],
  value: ((row: Row) => string | number) | undefined,
  descending: boolean,
): Row[] {
  if (value === undefined) return [...rows];
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => sign * compareValues(value(a), value(b)));
}

/** Numbers by size, text as people order it: `2` before `10`. */
export function compareValues(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
