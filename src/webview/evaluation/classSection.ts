import '../components/classTable.css';
import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { keepScroll } from '../components/keepScroll.ts';
import type { SortOrder } from '../components/sortableTable.ts';
import { button } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import { classTable } from './classTable.ts';
import type { Cell } from './confusionGrid.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export type ClassSectionOptions = {
  onSort: (order: SortOrder) => void;
  onOpen: (cell: Cell) => void;
  onExport: () => void;
  /** Pixels by which the table was scrolled when the page was left. */
  scrolled: number;
  onScroll: (top: number) => void;
};

export type ClassSection = { element: HTMLElement; draw: (evaluation: ShownEvaluation, order: SortOrder) => void };

/** The table of classes and its export. */
export function classSection({ onSort, onOpen, onExport, scrolled, onScroll }: ClassSectionOptions): ClassSection {
  const filled = element('div');
  const place = element('div', { class: 'scroll-x class-table' }, [filled]);
  keepScroll({ place, kept: scrolled, keep: onScroll });
  const section = element('section', { 'aria-label': l10n.t('Classes') }, [
    element('h2', {}, [l10n.t('Classes')]),
    element('div', { class: 'toolbar' }, [
      button({ label: 'CSV', title: l10n.t('Export one row per class as CSV'), onClick: onExport }),
      element('span', { class: 'hint' }, [l10n.t('Recall is the share of a class’s images that are predicted right.')]),
    ]),
    place,
  ]);
  const draw = whenChanged((evaluation: ShownEvaluation, order: SortOrder) => {
    const table = classTable({ evaluation, order, onSort, onOpen });
    keepFocus(filled, () => filled.replaceChildren(table));
  });
  return { element: section, draw };
}
