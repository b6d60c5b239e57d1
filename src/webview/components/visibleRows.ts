export type VisibleRows = { first: number; end: number };

const rowsBeyond = 4;

/** Which of `count` rows of equal height to build for a scrolled window, with some beyond either edge. Pixels. */
export function visibleRows(count: number, rowHeight: number, scrollTop: number, height: number): VisibleRows {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight) - rowsBeyond));
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + rowsBeyond);
  return { first, end: Math.max(first, end) };
}

/** Where to scroll so that a row is seen whole: `scrollTop` itself where it is. Pixels. */
export function scrolledTo(row: number, rowHeight: number, scrollTop: number, height: number): number {
  if (row * rowHeight < scrollTop) return row * rowHeight;
  return Math.max(scrollTop, (row + 1) * rowHeight - height);
}
