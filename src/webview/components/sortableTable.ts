import { element, type Child } from './element.ts';
import { sortedRows } from './sortRows.ts';

export type Column<Row> = {
  title: string;
  cell: (row: Row) => Child;
  /** What the rows are ordered by. */
  value: (row: Row) => string | number;
  numeric?: boolean;
};
export type SortOrder = { column: number; descending: boolean };

export type SortableTableOptions<Row> = {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  order: SortOrder;
  onSort: (order: SortOrder) => void;
};

/** A table whose headings are buttons that sort it. */
export function sortableTable<Row>(options: SortableTableOptions<Row>): HTMLTableElement {
  const { columns, order } = options;
  const rows = sortedRows(options.rows, columns[order.column]?.value, order.descending);
  return element('table', { class: 'table' }, [
    element('caption', { class: 'spoken' }, [options.caption]),
    element('thead', {}, [
      element(
        'tr',
        {},
        columns.map((column, index) => heading(column, index, options)),
      ),
    ]),
    element(
      'tbody',
      {},
      rows.map((row) =>
        element(
          'tr',
          {},
          columns.map((column) => element('td', { class: alignment(column) }, [column.cell(row)])),
        ),
      ),
    ),
  ]);
}

function heading<Row>(column: Column<Row>, index: number, { order, onSort }: SortableTableOptions<Row>): HTMLElement {
  const sorted = order.column === index;
  const state = sorted ? (order.descending ? 'descending' : 'ascending') : 'none';
  const arrow = sorted ? (order.descending ? ' ▾' : ' ▴') : '';
  const descending = sorted ? !order.descending : column.numeric === true;
  return element('th', { scope: 'col', 'aria-sort': state, class: alignment(column) }, [
    element('button', { class: 'heading', type: 'button', onclick: () => onSort({ column: index, descending }) }, [
      `${column.title}${arrow}`,
    ]),
  ]);
}

function alignment<Row>(column: Column<Row>): string {
  return column.numeric === true ? 'numeric' : 'textual';
}
