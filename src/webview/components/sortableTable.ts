import { element, type Child } from './element.ts';
import { moreButton } from './moreButton.ts';
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
  /** Rows that stay below the others, whatever the order: a heading, then a text for each further column. */
  foot?: readonly (readonly string[])[];
  /** How many rows to build at first; the rest comes with a button. */
  limit: number;
  order: SortOrder;
  onSort: (order: SortOrder) => void;
};

/** A table whose headings are buttons that sort it. */
export function sortableTable<Row>(options: SortableTableOptions<Row>): HTMLElement {
  const { columns, order, limit } = options;
  const sorted = sortedRows(options.rows, columns[order.column]?.value, order.descending);
  const rows = (from: number, end: number) => sorted.slice(from, end).map((row) => tableRow(row, columns));
  const body = element('tbody', {}, rows(0, limit));
  const headings = columns.map((column, index) => heading(column, index, options));
  const table = element('table', { class: 'table' }, [
    element('caption', { class: 'spoken' }, [options.caption]),
    element('thead', {}, [element('tr', {}, headings)]),
    body,
    ...(options.foot === undefined ? [] : [tableFoot(options.foot, columns)]),
  ]);
  return element('div', {}, [table, moreButton(sorted.length, limit, (from, end) => body.append(...rows(from, end)))]);
}

function tableRow<Row>(row: Row, columns: readonly Column<Row>[]): HTMLElement {
  const cells = columns.map((column) => element('td', { class: alignment(column) }, [column.cell(row)]));
  return element('tr', {}, cells);
}

function tableFoot<Row>(foot: readonly (readonly string[])[], columns: readonly Column<Row>[]): HTMLElement {
  const rows = foot.map(([heading = '', ...texts]) =>
    element('tr', {}, [
      element('th', { scope: 'row' }, [heading]),
      ...texts.map((text, at) => element('td', { class: alignment(columns[at + 1]) }, [text])),
    ]),
  );
  return element('tfoot', {}, rows);
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

function alignment<Row>(column: Column<Row> | undefined): string {
  return column?.numeric === true ? 'numeric' : 'textual';
}
