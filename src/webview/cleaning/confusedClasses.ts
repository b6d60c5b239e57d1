import * as l10n from '@vscode/l10n';
import type { Cleaning } from '../../protocol/cleaning.ts';
import type { EditedData } from '../components/editedData.ts';
import { element } from '../components/element.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { sortableTable, type SortOrder } from '../components/sortableTable.ts';

/** Rows that are built at first. */
const shownRows = 10;

export type ConfusedClasses = { element: HTMLElement; draw: () => void };

/** Which classes are taken for which others most often. */
export function confusedClasses(data: Pick<EditedData<Cleaning>, 'figures' | 'name'>): ConfusedClasses {
  const { name } = data;
  const table = element('div');
  const section = element('section', { 'aria-label': l10n.t('Confused classes') }, [
    element('h2', {}, [l10n.t('Confused classes')]),
    table,
  ]);
  let shown: Cleaning | undefined;
  let order: SortOrder = { column: 2, descending: true };
  const build = (cleaning: Cleaning): void => {
    const made = sortableTable({
      caption: l10n.t('Confused classes'),
      columns: [
        { title: l10n.t('Class'), cell: (row) => name(row.folder), value: (row) => name(row.folder) },
        { title: l10n.t('Predicted as'), cell: (row) => name(row.likely), value: (row) => name(row.likely) },
        { title: l10n.t('Images'), cell: (row) => String(row.images), value: (row) => row.images, numeric: true },
      ],
      rows: cleaning.confusions,
      limit: shownRows,
      order,
      onSort: (next) => {
        order = next;
        build(cleaning);
      },
    });
    keepFocus(table, () => table.replaceChildren(made));
  };
  return {
    element: section,
    draw: () => {
      const { figures: cleaning } = data;
      section.hidden = cleaning === undefined || cleaning.confusions.length === 0;
      if (cleaning === undefined || cleaning === shown) return;
      shown = cleaning;
      build(cleaning);
    },
  };
}
