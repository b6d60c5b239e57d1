import '../components/classTable.css';
import * as l10n from '@vscode/l10n';
import { count, images, percent, short } from '../../charts/format.ts';
import { type ComparedPair, type Comparison, lossesCompare } from '../../protocol/compareEvaluations.ts';
import { element, type Child } from '../components/element.ts';
import { imageGallery, type GalleryImage } from '../components/imageGallery.ts';
import type { Pictures } from '../components/pictures.ts';
import { sortableTable, type Column, type SortOrder } from '../components/sortableTable.ts';

/** Images that one run got right and another wrong, by the places of both. */
export type Disputed = { right: number; wrong: number };

export type ComparedTestsOptions = {
  disputed: Disputed | undefined;
  /** Of the table of classes. */
  order: SortOrder;
  pictures: Pictures;
  onSort: (order: SortOrder) => void;
  onDisputed: (disputed: Disputed | undefined) => void;
  onOpen: (image: string) => void;
  onReveal: (image: string) => void;
};

/** Images that are shown at first. */
const shownImages = 24;
/** Classes that are shown at first. */
const shownClasses = 100;

/** Results of runs on the same images, McNemar's test of each pair, the images behind it, and the classes. */
export function comparedTests(comparison: Comparison, options: ComparedTestsOptions): HTMLElement[] {
  const { disputed } = options;
  return [
    ...notes(comparison).map((text) => element('p', { class: 'hint' }, [text])),
    scrolled(resultTable(comparison)),
    heading(l10n.t('McNemar’s exact test')),
    scrolled(pairTable(comparison, disputed, options.onDisputed)),
    element('p', { class: 'hint' }, [meaningOfP(comparison)]),
    ...(disputed === undefined ? [] : [disputedImages(comparison, disputed, options)]),
    heading(l10n.t('Recall of each class')),
    element('div', { class: 'scroll-x class-table' }, [classesTable(comparison, options)]),
  ];
}

function heading(text: string): HTMLElement {
  return element('h3', {}, [text]);
}

function scrolled(table: HTMLElement): HTMLElement {
  return element('div', { class: 'scroll-x' }, [table]);
}

function notes({ images: number, notCommon, figures }: Comparison): string[] {
  return [
    notCommon === 0
      ? l10n.t('All runs were tested on the same {0}.', images(number))
      : l10n.t('On the {0} that all runs were tested on; {1} more, that only some were, are left out.', images(number), count(notCommon)), // prettier-ignore
    ...(lossesCompare(figures) ? [] : [l10n.t('Losses are left out: some runs have a temperature and others have none, so their losses cannot be compared.')]), // prettier-ignore
  ];
}

function resultTable({ names, figures }: Comparison): HTMLElement {
  const hasLosses = lossesCompare(figures);
  const best = Math.max(...figures.map(({ accuracy }) => accuracy));
  const rows = figures.map(({ accuracy, interval, macro, loss }, place) => [
    names[place] ?? '',
    accuracy === best ? element('strong', {}, [`★ ${percent(accuracy, 2)}`]) : percent(accuracy, 2),
    l10n.t('{0} to {1}', percent(interval.low), percent(interval.high)),
    percent(macro.f1, 2),
    ...(hasLosses ? [short(loss)] : []),
  ]);
  const titles = [l10n.t('Run'), l10n.t('Accuracy'), l10n.t('95 % interval'), l10n.t('F1, mean over classes')];
  return plainTable(l10n.t('Results of the runs on the same images'), [...titles, ...(hasLosses ? [l10n.t('Loss')] : [])], rows); // prettier-ignore
}

function pairTable(
  { names, pairs }: Comparison,
  shown: Disputed | undefined,
  onDisputed: (disputed: Disputed | undefined) => void,
): HTMLElement {
  const several = pairs.length > 1;
  const link = (number: number, right: number, wrong: number): Child => {
    if (number === 0) return '0';
    const title = l10n.t('Show the images that {0} gets right and {1} wrong', names[right] ?? '', names[wrong] ?? '');
    const pressed = shown?.right === right && shown.wrong === wrong;
    const onclick = () => onDisputed(pressed ? undefined : { right, wrong });
    return element('button', { type: 'button', class: 'link', title, 'aria-pressed': pressed, onclick }, [count(number)]); // prettier-ignore
  };
  const row = ({ first, second, both, onlyFirst, onlySecond, neither, p, adjustedP }: ComparedPair): Child[] => [
    ...[names[first] ?? '', names[second] ?? ''],
    ...[link(onlyFirst, first, second), link(onlySecond, second, first)],
    ...[count(both), count(neither), short(p, 3)],
    ...(several ? [short(adjustedP, 3)] : []),
  ];
  const titles = [
    ...[l10n.t('First'), l10n.t('Second'), l10n.t('Only first right'), l10n.t('Only second right')],
    ...[l10n.t('Both right'), l10n.t('Both wrong'), 'p', ...(several ? [l10n.t('Adjusted p')] : [])],
  ];
  return plainTable(l10n.t('Images that each pair of runs agrees and disagrees on'), titles, pairs.map(row), 2);
}

function meaningOfP({ pairs }: Comparison): string {
  const meaning = l10n.t('p is how likely such a difference is if both were equally good.');
  return pairs.length > 1
    ? `${meaning} ${l10n.t('With several pairs judge by the adjusted p, by Holm’s method.')}`
    : meaning;
}

/** The first `names` columns are texts. Where the page is narrow, each row is a card. */
function plainTable(
  caption: string,
  titles: readonly string[],
  rows: readonly (readonly Child[])[],
  names = 1,
): HTMLElement {
  const kind = (at: number) => (at < names ? 'textual' : 'numeric');
  const cell = (child: Child, at: number): HTMLElement => {
    const isHeading = at === 0;
    // The heading of a card, where it is the only name.
    const title = isHeading && names === 1 ? undefined : titles[at];
    const look = { class: kind(at), 'data-title': title, scope: isHeading ? 'row' : undefined };
    return element(isHeading ? 'th' : 'td', look, [child]);
  };
  const heading = (title: string, at: number) => element('th', { scope: 'col', class: kind(at) }, [title]);
  const rowOf = (cells: readonly Child[]) => element('tr', {}, cells.map(cell));
  return element('table', { class: 'table cards' }, [
    element('caption', { class: 'spoken' }, [caption]),
    element('thead', {}, [element('tr', {}, titles.map(heading))]),
    element('tbody', {}, rows.map(rowOf)),
  ]);
}

function disputedImages(
  { names, classes, disputed }: Comparison,
  { right, wrong }: Disputed,
  { pictures, onOpen, onReveal, onDisputed }: ComparedTestsOptions,
): HTMLElement {
  const titles = new Map(classes.map(({ folder, name }) => [folder, name]));
  const title = (folder: string) => titles.get(folder) ?? folder;
  const found = disputed.filter(({ actual, predicted }) => predicted[right] === actual && predicted[wrong] !== actual);
  const shown = found.map(({ file, actual, predicted, probability }): GalleryImage => ({
    image: file,
    predictions: names.map((name, at) => ({
      text: `${name}: ${title(predicted[at] ?? '')} ${percent(probability[at] ?? 0, 0)}`,
      right: predicted[at] === actual,
    })),
    hint: l10n.t('Folder: {0}', title(actual)),
  }));
  const close = l10n.t('Close');
  const closing = { type: 'button', class: 'icon', title: close, 'aria-label': close, onclick: () => onDisputed(undefined) }; // prettier-ignore
  const told = l10n.t('Right by {0}, wrong by {1}: {2}', names[right] ?? '', names[wrong] ?? '', images(found.length));
  return element('section', { 'aria-label': l10n.t('Images of the selected group') }, [
    element('h3', {}, [told, ' ', element('button', closing, ['×'])]),
    imageGallery({ images: shown, pictures, limit: shownImages, onOpen, onReveal }),
  ]);
}

type ClassRow = Comparison['classes'][number];

function classesTable({ names, classes }: Comparison, { order, onSort }: ComparedTestsOptions): HTMLElement {
  const recall = ({ right, images: number }: ClassRow, at: number) => (right[at] ?? 0) / number;
  const spread = (row: ClassRow) => (Math.max(...row.right) - Math.min(...row.right)) / row.images;
  const difference = (row: ClassRow) => (names.length === 2 ? recall(row, 0) - recall(row, 1) : spread(row));
  const signed = (value: number) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${percent(Math.abs(value))}`;
  const numeric = true;
  const columns: Column<ClassRow>[] = [
    { title: l10n.t('Class'), value: ({ name }) => name, cell: ({ name, folder }) => element('span', { title: l10n.t('Folder {0}', folder) }, [name]) }, // prettier-ignore
    { title: l10n.t('Images'), numeric, value: ({ images: number }) => number, cell: ({ images: number }) => count(number) }, // prettier-ignore
    ...names.map((title, at): Column<ClassRow> => ({ title, numeric, value: (row) => recall(row, at), cell: (row) => percent(recall(row, at)) })), // prettier-ignore
    names.length === 2
      ? { title: l10n.t('Difference'), numeric, value: difference, cell: (row) => signed(difference(row)) }
      : { title: l10n.t('Spread'), numeric, value: difference, cell: (row) => percent(difference(row)) },
  ];
  // The last column at first: the difference.
  const column = order.column < columns.length ? order.column : columns.length - 1;
  return sortableTable({ caption: l10n.t('Recall of each class by each run'), columns, rows: classes, limit: shownClasses, order: { ...order, column }, onSort }); // prettier-ignore
}
