import { element } from '../components/element.ts';
import { percent } from '../components/format.ts';
import type { ClassNames, ConfusionMatrix } from './confusions.ts';

export type Cell = { actual: number; predicted: number };

export type GridOptions = {
  matrix: ConfusionMatrix;
  name: ClassNames;
  selected: Cell | undefined;
  onOpen: (cell: Cell) => void;
};

/** The confusion matrix as a heat map: one stop of the Tab key, arrows move, Enter opens the images behind a cell. */
export function confusionGrid(options: GridOptions): HTMLElement {
  const { matrix, name } = options;
  const cells = matrix.classes.map((actual) =>
    matrix.classes.map((predicted) => gridCell({ actual, predicted }, options)),
  );
  const first = cells.flat().find((cell) => cell.getAttribute('aria-selected') === 'true') ?? cells[0]?.[0];
  if (first !== undefined) first.tabIndex = 0;
  const table = element(
    'table',
    {
      class: 'matrix',
      role: 'grid',
      'aria-label': 'Confusion matrix: rows are the folders’ classes, columns the predicted ones',
    },
    [
      element('thead', {}, [
        element('tr', {}, [
          element('th', { class: 'corner' }, [element('small', {}, ['is ↓  predicted →'])]),
          ...matrix.classes.map((predicted) =>
            element('th', { scope: 'col', class: 'upright', title: name(predicted) }, [
              element('span', {}, [name(predicted)]),
            ]),
          ),
        ]),
      ]),
      element(
        'tbody',
        {},
        cells.map((row, index) => {
          const actual = matrix.classes[index] ?? -1;
          return element('tr', {}, [element('th', { scope: 'row', title: name(actual) }, [name(actual)]), ...row]);
        }),
      ),
    ],
  );
  table.addEventListener('keydown', (event) => {
    if (moveFocus(cells, event)) event.preventDefault();
  });
  return element('div', { class: 'scroll-x' }, [table]);
}

function gridCell(cell: Cell, { matrix, name, selected, onOpen }: GridOptions): HTMLTableCellElement {
  const count = matrix.count(cell.actual, cell.predicted);
  const share = matrix.share(cell.actual, cell.predicted);
  const right = cell.actual === cell.predicted;
  const chosen = selected?.actual === cell.actual && selected.predicted === cell.predicted;
  const label = `${count} of ${name(cell.actual)} predicted as ${name(cell.predicted)}, ${percent(share)}`;
  const made = element(
    'td',
    {
      role: 'gridcell',
      tabindex: -1,
      class: right ? 'right' : 'wrong',
      'aria-label': label,
      title: label,
      'aria-selected': chosen,
    },
    [count === 0 ? '' : String(count)],
  );
  made.style.setProperty('--heat', `${Math.round((count === 0 ? 0 : 0.12 + 0.68 * share) * 100)}%`);
  if (count > 0) made.addEventListener('click', () => onOpen(cell));
  return made;
}

function moveFocus(cells: readonly HTMLTableCellElement[][], event: KeyboardEvent): boolean {
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
