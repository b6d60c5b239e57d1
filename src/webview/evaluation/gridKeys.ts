/** Moves the focus among the cells of a square grid, or clicks a cell; whether the key is one of the grid's. */
export function moveFocus(cells: readonly HTMLTableCellElement[][], event: KeyboardEvent): boolean {
  const row = cells.findIndex((line) => line.some((cell) => cell === event.target));
  const column = cells[row]?.findIndex((cell) => cell === event.target) ?? -1;
  if (row < 0) return false;
  const moves: Record<string, readonly [number, number]> = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    Home: [row, 0],
    End: [row, cells.length - 1],
    PageUp: [0, column],
    PageDown: [cells.length - 1, column],
  };
  if (event.key === 'Enter' || event.key === ' ') {
    cells[row]?.[column]?.click();
    return true;
  }
  const [nextRow, nextColumn] = moves[event.key] ?? [-1, -1];
  const next = cells[nextRow]?.[nextColumn];
  if (next === undefined) return moves[event.key] !== undefined;
  for (const cell of cells.flat()) cell.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
  return true;
}
