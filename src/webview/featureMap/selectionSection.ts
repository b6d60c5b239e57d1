import * as l10n from '@vscode/l10n';
import { fileName, images as imagesText, percent } from '../../charts/format.ts';
import { element } from '../components/element.ts';
import { imageGallery } from '../components/imageGallery.ts';
import { keepFocus } from '../components/keepFocus.ts';
import type { Pictures } from '../components/pictures.ts';
import { setText } from '../components/setText.ts';
import { type Column, sortableTable, type SortOrder } from '../components/sortableTable.ts';
import { button, dropdown, labelled } from '../components/toolkit.ts';
import type { Verdict } from './groups.ts';
import { verdictText } from './mapTexts.ts';

/** A selected image. */
export type SelectedImage = {
  /** Absolute path. */
  file: string;
  className: string;
  verdict: Verdict | undefined;
};

export type SelectionOptions = {
  pictures: Pictures;
  onOpen: (file: string) => void;
  onReveal: (file: string) => void;
  onClean: () => void;
  onClear: () => void;
  onShowAs: (selectedAs: 'gallery' | 'table') => void;
};

export type SelectionSection = {
  element: HTMLElement;
  draw: (selected: readonly SelectedImage[], selectedAs: 'gallery' | 'table') => void;
};

/** Images and rows that are built at first. */
const [shownImages, shownRows] = [48, 100];

/** The selected images, as a gallery or a table, and what can be done with them. */
export function selectionSection(options: SelectionOptions): SelectionSection {
  const { onOpen, onClean, onClear, onShowAs } = options;
  const title = element('h2', { role: 'status' });
  const views = dropdown(l10n.t('Show as'), (value) => onShowAs(value === 'table' ? 'table' : 'gallery'));
  const clean = button({
    label: l10n.t('Clean Data'),
    title: l10n.t('Opens these images in Clean Data, the least certain first'),
    primary: true,
    onClick: onClean,
  });
  const clear = button({ label: l10n.t('Select nothing'), onClick: onClear });
  const tools = element('div', { class: 'toolbar' }, [labelled(l10n.t('Show as'), views.element), clean, clear]);
  const hint = element('p', { class: 'hint' }, [l10n.t('Drag over the map, or walk it by keys, to select images.')]);
  const place = element('div');
  let order: SortOrder = { column: 1, descending: false };
  let drawn: Parameters<SelectionSection['draw']> | undefined;

  const table = (selected: readonly SelectedImage[]): HTMLElement =>
    element('div', { class: 'scroll-x' }, [
      sortableTable({
        caption: l10n.t('Selected images'),
        columns: columnsOf(onOpen),
        rows: selected,
        limit: shownRows,
        order,
        onSort: (next) => {
          order = next;
          if (drawn) build(...drawn);
        },
      }),
    ]);
  const gallery = (selected: readonly SelectedImage[]): HTMLElement =>
    imageGallery({
      images: selected.map(({ file, className, verdict }) => ({
        image: file,
        predictions: verdict ? [{ text: `${verdict.predicted} ${percent(verdict.probability, 0)}`, right: verdict.isRight }] : [], // prettier-ignore
        hint: l10n.t('Folder: {0}', className),
      })),
      limit: shownImages,
      ...{ pictures: options.pictures, onOpen, onReveal: options.onReveal },
    });
  const build = (selected: readonly SelectedImage[], selectedAs: 'gallery' | 'table'): void => {
    const made = selected.length === 0 ? [] : [selectedAs === 'table' ? table(selected) : gallery(selected)];
    keepFocus(place, () => place.replaceChildren(...made));
  };
  return {
    element: element('section', { class: 'selection', 'aria-label': l10n.t('Selected images') }, [
      title,
      hint,
      tools,
      place,
    ]),
    draw: (selected, selectedAs) => {
      setText(title, selected.length === 0 ? l10n.t('Nothing is selected') : l10n.t('Selected: {0}', imagesText(selected.length))); // prettier-ignore
      hint.hidden = selected.length > 0;
      tools.hidden = selected.length === 0;
      views.update(
        [
          { value: 'gallery', label: l10n.t('Gallery') },
          { value: 'table', label: l10n.t('Table') },
        ],
        selectedAs,
      );
      if (drawn?.[0] === selected && drawn[1] === selectedAs) return;
      drawn = [selected, selectedAs];
      build(selected, selectedAs);
    },
  };
}

function columnsOf(onOpen: (file: string) => void): Column<SelectedImage>[] {
  return [
    {
      title: l10n.t('Image'),
      cell: ({ file }) => element('button', { type: 'button', class: 'link', title: l10n.t('Open {0}', file), onclick: () => onOpen(file) }, [fileName(file)]), // prettier-ignore
      value: ({ file }) => file,
    },
    { title: l10n.t('Class'), cell: ({ className }) => className, value: ({ className }) => className },
    {
      title: l10n.t('Predicted as'),
      cell: ({ verdict }) => (verdict ? `${verdict.isRight ? '✓' : '✗'} ${verdict.predicted}` : verdictText(verdict)), // prettier-ignore
      value: ({ verdict }) => verdict?.predicted ?? '',
    },
    {
      title: l10n.t('Confidence'),
      cell: ({ verdict }) => (verdict ? percent(verdict.probability) : '–'),
      value: ({ verdict }) => verdict?.probability ?? -1,
      numeric: true,
    },
  ];
}
