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
import type { ShownEvaluation } from './shownEvaluation.ts';
import { themeMatrixColors } from './themeMatrixColors.ts';

/** Classes of the matrix: with more it is too large to read. */
const largestMatrix = 30;
const shownConfusions = 20;

export type ConfusionSectionOptions = {
  onOpen: (cell: Cell) => void;
  onValue: (value: CellValue) => void;
  onExport: (format: 'png' | 'svg') => void;
};

export type ConfusionSection = {
  element: HTMLElement;
  draw: (evaluation: ShownEvaluation, cell: Cell | undefined, value: CellValue) => void;
};

/** The confusion matrix, the pairs of classes that are confused most, and their export as a picture. */
export function confusionSection({ onOpen, onValue, onExport }: ConfusionSectionOptions): ConfusionSection {
  const values = dropdown(l10n.t('Cells show'), (value) => onValue(value === 'rows' ? 'rows' : 'counts'));
  const valueChoice = labelled(l10n.t('Cells show'), values.element);
  const exports = element('span', { class: 'buttons' }, [
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
  const tools = element('div', { class: 'toolbar' }, [valueChoice, exports]);
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
  const drawGrid = (evaluation: ShownEvaluation, cell: Cell | undefined, value: CellValue): void => {
    const name = classNames(evaluation);
    const matrix = mostConfused(confusionMatrix(evaluation), evaluation, largestMatrix);
    const all = evaluation.perClass.length;
    setText(some, l10n.t('The {0} classes of {1} that are confused most. A picture of all can be exported.', matrix.classes.length, all)); // prettier-ignore
    some.hidden = matrix.classes.length === all;
    const drawn = confusionGrid({ matrix, name, value, colors: themeMatrixColors(), selected: cell, onOpen });
    keepFocus(grid, () => grid.replaceChildren(drawn));
  };
  const drawChangedGrid = whenChanged(drawGrid);
  let redraw = (): void => undefined;
  onThemeChange(() => redraw());
  const drawList = whenChanged((evaluation: ShownEvaluation, cell: Cell | undefined) => {
    const confusions = topConfusions(evaluation, shownConfusions);
    const drawn = confusionList(confusions, classNames(evaluation), cell, onOpen);
    keepFocus(list, () => list.replaceChildren(drawn));
  });
  return {
    element: section,
    draw: (evaluation, cell, value) => {
      exports.hidden = evaluation.perClass.length > largestPicture;
      valueChoice.hidden = exports.hidden;
      values.update(
        cellValues.map((each) => ({ value: each, label: cellValueTitles[each] })),
        value,
      );
      redraw = () => drawGrid(evaluation, cell, value);
      drawChangedGrid(evaluation, cell, value);
      drawList(evaluation, cell);
    },
  };
}
