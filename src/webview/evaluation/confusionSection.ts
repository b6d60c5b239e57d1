import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { onThemeChange } from '../components/themeColors.ts';
import { setText } from '../components/setText.ts';
import { button, dropdown, labelled } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import { cellValues, cellValueTitles, type CellValue } from './cellText.ts';
import { confusionGrid, type Cell } from './confusionGrid.ts';
import { confusionList } from './confusionList.ts';
import { largestPicture } from './confusionPicture.ts';
import { classNames, confusionMatrix, mostConfused, topConfusions } from './confusions.ts';
import type { MatrixClasses } from './matrixClasses.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import { themeMatrixColors } from './themeMatrixColors.ts';

/** Classes of the matrix with numbers in its cells: with more it is too large to read. */
const largestMatrix = 30;
/** With fewer it says nothing, even if it has to be scrolled. */
const smallestMatrix = 8;
/** Classes of the matrix with small cells. */
const largestOverview = 150;
const shownConfusions = 20;
/** Pixels of a cell with its gap, and of the names beside the rows, on a page that is narrow or not; as the style sheet has them. */
const sizes = { narrow: { page: 600, cell: 25, names: 92 }, wide: { cell: 31, names: 144 } };

export type ConfusionSectionOptions = {
  onOpen: (cell: Cell) => void;
  onValue: (value: CellValue) => void;
  onClasses: (classes: MatrixClasses) => void;
  onExport: (format: 'png' | 'svg') => void;
};

export type ConfusionSection = {
  element: HTMLElement;
  draw: (evaluation: ShownEvaluation, cell: Cell | undefined, value: CellValue, classes: MatrixClasses) => void;
};

/** Whether a matrix of so many classes needs the width of the page. */
export function needsWidth(classes: number): boolean {
  return classes > 12;
}

/** The confusion matrix, the pairs of classes that are confused most, and their export as a picture. */
export function confusionSection({ onOpen, onValue, onClasses, onExport }: ConfusionSectionOptions): ConfusionSection {
  const values = dropdown(l10n.t('Cells show'), (value) => onValue(value === 'rows' ? 'rows' : 'counts'));
  const valueChoice = labelled(l10n.t('Cells show'), values.element);
  const which = dropdown(l10n.t('Classes'), (value) => onClasses(value === 'all' ? 'all' : 'confused'));
  const classChoice = labelled(l10n.t('Classes'), which.element);
  const exports = exportButtons(onExport);
  const tools = element('div', { class: 'toolbar' }, [classChoice, valueChoice, exports]);
  const some = element('p', { class: 'hint' });
  const grid = element('div');
  const list = element('div');
  const section = element('section', { 'aria-label': l10n.t('Confusions') }, [
    element('h2', {}, [l10n.t('Confusion matrix')]),
    tools,
    some,
    grid,
    element('h2', {}, [l10n.t('Most frequent confusions')]),
    list,
  ]);
  const drawGrid = (evaluation: ShownEvaluation, cell: Cell | undefined, value: CellValue, limit: number): void => {
    const name = classNames(evaluation);
    const matrix = mostConfused(confusionMatrix(evaluation), evaluation, limit);
    const all = evaluation.perClass.length;
    const dense = limit > largestMatrix && all > largestMatrix;
    setText(some, dense ? l10n.t('All {0} classes: point at a cell to see what it counts.', all) : l10n.t('The {0} classes of {1} that are confused most. A picture of all can be exported.', matrix.classes.length, all)); // prettier-ignore
    some.hidden = matrix.classes.length === all && !dense;
    const drawn = confusionGrid({ matrix, name, value, colors: themeMatrixColors(), selected: cell, dense, onOpen });
    keepFocus(grid, () => grid.replaceChildren(drawn));
  };
  const drawChangedGrid = whenChanged(drawGrid);
  let redraw = (): void => undefined;
  let drawIfChanged = (): void => undefined;
  onThemeChange(() => redraw());
  new ResizeObserver(() => drawIfChanged()).observe(section);
  const drawList = whenChanged((evaluation: ShownEvaluation, cell: Cell | undefined) => {
    const confusions = topConfusions(evaluation, shownConfusions);
    const drawn = confusionList(confusions, classNames(evaluation), cell, onOpen);
    keepFocus(list, () => list.replaceChildren(drawn));
  });
  return {
    element: section,
    draw: (evaluation, cell, value, classes) => {
      const all = evaluation.perClass.length;
      section.classList.toggle('wide', needsWidth(all));
      exports.hidden = all > largestPicture;
      valueChoice.hidden = exports.hidden;
      classChoice.hidden = all <= smallestMatrix || all > largestOverview;
      which.update(
        [
          { value: 'confused', label: l10n.t('Most confused') },
          { value: 'all', label: l10n.t('All {0}', all) },
        ],
        classes,
      );
      const limit = () => (classes === 'all' && all <= largestOverview ? all : classesThatFit(section.clientWidth));
      values.update(
        cellValues.map((each) => ({ value: each, label: cellValueTitles[each] })),
        value,
      );
      redraw = () => drawGrid(evaluation, cell, value, limit());
      drawIfChanged = () => drawChangedGrid(evaluation, cell, value, limit());
      drawIfChanged();
      drawList(evaluation, cell);
    },
  };
}

/** How many classes of the matrix can be read without scrolling sideways. */
function classesThatFit(width: number): number {
  const { cell, names } = window.innerWidth <= sizes.narrow.page ? sizes.narrow : sizes.wide;
  return Math.max(smallestMatrix, Math.min(largestMatrix, Math.floor((width - names) / cell)));
}

function exportButtons(onExport: (format: 'png' | 'svg') => void): HTMLElement {
  return element('span', { class: 'buttons' }, [
    button({
      label: 'PNG',
      title: l10n.t('Export the confusion matrix as a PNG picture'),
      onClick: () => onExport('png'),
    }),
    button({
      label: 'SVG',
      title: l10n.t('Export the confusion matrix as an SVG picture'),
      onClick: () => onExport('svg'),
    }),
  ]);
}
