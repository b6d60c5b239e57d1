import * as l10n from '@vscode/l10n';
import { cssColor } from '../components/contrast.ts';
import { element } from '../components/element.ts';
import { percent } from '../../charts/format.ts';
import { cellColors, type MatrixColors } from './cellColors.ts';
import { cellText, type CellValue } from './cellText.ts';
import type { ClassNames, ConfusionMatrix } from './confusions.ts';
import { moveFocus } from './gridKeys.ts';

export type Cell = { actual: number; predicted: number };

export type GridOptions = {
  matrix: ConfusionMatrix;
  name: ClassNames;
  value: CellValue;
  colors: MatrixColors;
  selected: Cell | undefined;
  /** Small cells without numbers. */
  dense: boolean;
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
  const headings = matrix.classes.map((predicted) =>
    element('th', { scope: 'col', class: 'upright', title: name(predicted) }, [element('span', {}, [name(predicted)])]),
  );
  const rows = cells.map((row, index) => {
    const actual = name(matrix.classes[index] ?? -1);
    return element('tr', {}, [element('th', { scope: 'row', title: actual }, [actual]), ...row]);
  });
  const label = l10n.t('Confusion matrix: each row is an actual class, each column a predicted one');
  const table = element(
    'table',
    { class: options.dense ? 'matrix dense' : 'matrix', role: 'grid', 'aria-label': label },
    [
      element('thead', {}, [
        element('tr', {}, [
          element('th', { class: 'corner' }, [l10n.t('Predicted →'), element('br'), l10n.t('Actual ↓')]),
          ...headings,
        ]),
      ]),
      element('tbody', {}, rows),
    ],
  );
  table.addEventListener('keydown', (event) => {
    if (moveFocus(cells, event)) event.preventDefault();
  });
  return element('div', { class: 'scroll-x' }, [table]);
}

function gridCell(cell: Cell, { matrix, name, value, colors, selected, onOpen }: GridOptions): HTMLTableCellElement {
  const count = matrix.count(cell.actual, cell.predicted);
  const share = matrix.share(cell.actual, cell.predicted);
  const right = cell.actual === cell.predicted;
  const chosen = selected?.actual === cell.actual && selected.predicted === cell.predicted;
  const label = l10n.t(
    '{0} of {1} predicted as {2}, {3}',
    count,
    name(cell.actual),
    name(cell.predicted),
    percent(share),
  );
  const attributes = { role: 'gridcell', tabindex: -1, 'aria-label': label, title: label, 'aria-selected': chosen };
  const made = element('td', { ...attributes, class: right ? 'right' : 'wrong' }, [cellText(count, share, value)]);
  if (count === 0) return made;
  const { background, text } = cellColors(share, right, colors);
  made.style.background = cssColor(background);
  made.style.color = cssColor(text);
  made.addEventListener('click', () => onOpen(cell));
  return made;
}
