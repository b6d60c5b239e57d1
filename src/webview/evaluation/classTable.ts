import type { Evaluation } from '../../protocol/evaluation.ts';
import { element } from '../components/element.ts';
import { count, percent } from '../components/format.ts';
import { bar } from '../components/probabilityBars.ts';
import { sortableTable, type Column, type SortOrder } from '../components/sortableTable.ts';
import type { Cell } from './confusionGrid.ts';
import { classNames, topConfusions, type Confusion } from './confusions.ts';

/** Classes that the table shows at first: building the rows of ten thousand takes seconds. */
const shownClasses = 200;

type ClassRow = Evaluation['perClass'][number] & { confusion: Confusion | undefined };

export type ClassTableOptions = {
  evaluation: Evaluation;
  order: SortOrder;
  onSort: (order: SortOrder) => void;
  onOpen: (cell: Cell) => void;
};

/** Accuracy of every class, and what it is most often taken for. */
export function classTable({ evaluation, order, onSort, onOpen }: ClassTableOptions): HTMLElement {
  const name = classNames(evaluation);
  const confusions = topConfusions(evaluation, Infinity);
  const first = new Map<number, Confusion>();
  for (const confusion of confusions) if (!first.has(confusion.actual)) first.set(confusion.actual, confusion);
  const rows = evaluation.perClass.map((row): ClassRow => ({ ...row, confusion: first.get(row.index) }));
  const columns: Column<ClassRow>[] = [
    {
      title: 'Class',
      value: (row) => row.name,
      cell: (row) => element('span', { title: `folder ${row.folder}` }, [row.name]),
    },
    { title: 'Images', numeric: true, value: (row) => row.images, cell: (row) => count(row.images) },
    { title: 'Accuracy', numeric: true, value: (row) => row.accuracy, cell: accuracyCell },
    {
      title: 'Most often taken for',
      value: (row) => (row.confusion === undefined ? '\uffff' : name(row.confusion.predicted)),
      cell: ({ confusion }) =>
        confusion === undefined
          ? '–'
          : element('button', { type: 'button', class: 'link', onclick: () => onOpen(confusion) }, [
              `${name(confusion.predicted)} (${confusion.count})`,
            ]),
    },
  ];
  const table = sortableTable({ caption: 'Accuracy by class', columns, rows, limit: shownClasses, order, onSort });
  return element('div', { class: 'scroll-x class-table' }, [table]);
}

function accuracyCell({ accuracy, images }: ClassRow): HTMLElement {
  if (images === 0) return element('span', {}, ['–']);
  return element('span', { class: 'accuracy-cell' }, [bar(accuracy), element('span', {}, [percent(accuracy)])]);
}
