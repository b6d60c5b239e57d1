import * as l10n from '@vscode/l10n';
import type { MeanMetrics } from '../../protocol/evaluationMetrics.ts';
import { element } from '../components/element.ts';
import { count, percent } from '../../charts/format.ts';
import { bar } from '../components/probabilityBars.ts';
import { sortableTable, type Column, type SortOrder } from '../components/sortableTable.ts';
import type { Cell } from './confusionGrid.ts';
import { classNames, topConfusions, type Confusion } from './confusions.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

/** Classes that the table shows at first: building the rows of ten thousand takes seconds. */
const shownClasses = 200;

type ClassRow = ShownEvaluation['perClass'][number] & { confusion: Confusion | undefined };

export type ClassTableOptions = {
  evaluation: ShownEvaluation;
  order: SortOrder;
  onSort: (order: SortOrder) => void;
  onOpen: (cell: Cell) => void;
};

/** Precision, recall and F1 of every class, what it is most often taken for, and the means over the classes. */
export function classTable({ evaluation, order, onSort, onOpen }: ClassTableOptions): HTMLElement {
  const name = classNames(evaluation);
  const first = new Map<number, Confusion>();
  for (const confusion of topConfusions(evaluation, Infinity)) {
    if (!first.has(confusion.actual)) first.set(confusion.actual, confusion);
  }
  const rows = evaluation.perClass.map((row): ClassRow => ({ ...row, confusion: first.get(row.index) }));
  const numeric = true;
  const columns: Column<ClassRow>[] = [
    {
      title: l10n.t('Class'),
      value: (row) => row.name,
      cell: (row) => element('span', row.folder === '' ? {} : { title: l10n.t('Folder {0}', row.folder) }, [row.name]),
    },
    { title: l10n.t('Images'), numeric, value: (row) => row.images, cell: (row) => count(row.images) },
    {
      title: l10n.t('Precision'),
      numeric,
      value: (row) => row.precision,
      cell: (row) => (row.predicted === 0 ? '–' : percent(row.precision)),
    },
    { title: l10n.t('Recall'), numeric, value: (row) => row.recall, cell: recallCell },
    { title: 'F1', numeric, value: (row) => row.f1, cell: (row) => percent(row.f1) },
    {
      title: l10n.t('Most often predicted as'),
      value: (row) => (row.confusion === undefined ? '\uffff' : name(row.confusion.predicted)),
      cell: ({ confusion }) =>
        confusion === undefined
          ? '–'
          : element('button', { type: 'button', class: 'link', onclick: () => onOpen(confusion) }, [
              `${name(confusion.predicted)} (${confusion.count})`,
            ]),
    },
  ];
  const foot = [meanRow(l10n.t('Mean'), evaluation.macro), meanRow(l10n.t('Weighted by images'), evaluation.weighted)];
  return sortableTable({
    caption: l10n.t('Figures of each class'),
    columns,
    rows,
    foot,
    limit: shownClasses,
    order,
    onSort,
  });
}

function meanRow(what: string, { precision, recall, f1 }: MeanMetrics): string[] {
  return [what, '', percent(precision), percent(recall), percent(f1), ''];
}

function recallCell({ recall, images }: ClassRow): HTMLElement {
  if (images === 0) return element('span', {}, ['–']);
  return element('span', { class: 'recall' }, [bar(recall), element('span', {}, [percent(recall)])]);
}
