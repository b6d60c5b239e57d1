import * as l10n from '@vscode/l10n';
import type { ImageTable } from '../../protocol/imageTable.ts';
import type { Slice } from '../../protocol/slices.ts';
import { element } from '../components/element.ts';
import { count, images, percent } from '../../charts/format.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { bar } from '../components/probabilityBars.ts';
import { setText } from '../components/setText.ts';
import { button, dropdown, labelled, textField } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import type { ImageGroup } from './imageGroup.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import { shownColumn, shownSlices, sliceChoices, sliceTitles, type SlicesBy } from './shownSlices.ts';

export type SliceSection = {
  element: HTMLElement;
  /** `table` is the CSV file that was chosen. */
  draw: (evaluation: ShownEvaluation, by: SlicesBy, table: ImageTable | undefined) => void;
};

export type SliceSectionOptions = {
  onChoose: (by: SlicesBy) => void;
  /** Asks for a CSV file. */
  onChooseTable: () => void;
  onOpen: (group: ImageGroup) => void;
};

/** The accuracy of parts of the images. */
export function sliceSection({ onChoose, onChooseTable, onOpen }: SliceSectionOptions): SliceSection {
  let chosen: SlicesBy = { by: 'brightness', pattern: '', column: '' };
  const choice = dropdown(l10n.t('Slices by'), (value) => {
    const by = sliceChoices.find((each) => each === value);
    if (by) onChoose({ ...chosen, by });
  });
  const pattern = element('span');
  const columns = dropdown(l10n.t('Column'), (column) => onChoose({ ...chosen, column }));
  const file = button({ label: l10n.t('Choose a File...'), title: l10n.t('A CSV file whose first column names images by their paths in the data, or by their file names'), onClick: onChooseTable }); // prettier-ignore
  const note = element('p', { class: 'hint' });
  const found = element('div', { class: 'scroll-x' });
  const section = element('section', { 'aria-label': l10n.t('Slices') }, [
    element('h2', {}, [l10n.t('Slices')]),
    element('div', { class: 'toolbar' }, [
      labelled(l10n.t('Slices by'), choice.element),
      pattern,
      columns.element,
      file,
    ]),
    note,
    found,
  ]);
  const draw = whenChanged((evaluation: ShownEvaluation, of: SlicesBy, table: ImageTable | undefined) => {
    if (pattern.childElementCount === 0) pattern.append(patternField(of.pattern, (text) => onChoose({ ...chosen, pattern: text }))); // prettier-ignore
    chosen = of;
    pattern.hidden = of.by !== 'path';
    columns.element.hidden = of.by !== 'column' || table === undefined;
    file.hidden = of.by !== 'column';
    choice.update(
      sliceChoices.map((each) => ({ value: each, label: sliceTitles[each] })),
      of.by,
    );
    if (table) columns.update(table.columns.map((each) => ({ value: each, label: each })), shownColumn(of, table)); // prettier-ignore
    const { slices, notes } = shownSlices(evaluation, of, table);
    const meaning = slices.length > 0 ? meaningOf(of, table) : notes.length > 0 ? '' : withoutSlices(of, table);
    setText(note, [meaning, ...notes].join(' ').trim());
    const first = of.by === 'column' && table ? shownColumn(of, table) : sliceTitles[of.by];
    keepFocus(found, () => found.replaceChildren(...(slices.length === 0 ? [] : [sliceTable(slices, of, first, onOpen)]))); // prettier-ignore
  });
  return { element: section, draw };
}

function patternField(value: string, onInput: (pattern: string) => void): HTMLElement {
  const label = l10n.t('Part of the path, in which * is any text');
  return textField({ label, placeholder: label, value, onInput });
}

const meanings: Record<Exclude<SlicesBy['by'], 'column'>, string> = {
  size: l10n.t('Four parts by the short side, in pixels.'),
  brightness: l10n.t('Four parts by the mean brightness of the center crop, from 0 to 255.'),
  sharpness: l10n.t('Four parts by how much the center crop’s neighboring pixels differ; a few in a blurred image.'),
  path: l10n.t('Images whose path in the data has this in it, and the others.'),
};

function meaningOf({ by }: SlicesBy, table: ImageTable | undefined): string {
  return by === 'column' ? l10n.t('By a column of {0}.', table?.file ?? '') : meanings[by];
}

function withoutSlices({ by }: SlicesBy, table: ImageTable | undefined): string {
  if (by === 'path') return l10n.t('Type a part of the path, such as a folder.');
  if (by !== 'column') return l10n.t('This result is from before images were measured: test again.');
  return table === undefined
    ? l10n.t('Choose a CSV file. Its first column names images, by their paths in the data or by their file names.')
    : l10n.t('{0} names none of the tested images in its first column.', table.file);
}

function sliceTable(
  slices: readonly Slice[],
  of: SlicesBy,
  first: string,
  onOpen: (group: ImageGroup) => void,
): HTMLElement {
  const heading = (title: string, kind: string) => element('th', { scope: 'col', class: kind }, [title]);
  const row = ({ name, results, accuracy, interval }: Slice): HTMLElement => {
    const title = l10n.t('Show the {0}', images(results.length));
    const open = { type: 'button', class: 'link', title, onclick: () => onOpen({ kind: 'slice', of, name }) };
    return element('tr', {}, [
      element('th', { scope: 'row', class: 'textual' }, [element('button', open, [name])]),
      element('td', { class: 'numeric' }, [count(results.length)]),
      element('td', { class: 'numeric' }, [
        element('span', { class: 'recall' }, [bar(accuracy), element('span', {}, [percent(accuracy)])]),
      ]),
      element('td', { class: 'numeric' }, [l10n.t('{0} to {1}', percent(interval.low), percent(interval.high))]),
    ]);
  };
  return element('table', { class: 'table' }, [
    element('thead', {}, [
      element('tr', {}, [
        heading(first, 'textual'),
        heading(l10n.t('Images'), 'numeric'),
        heading(l10n.t('Accuracy'), 'numeric'),
        heading(l10n.t('95 % interval'), 'numeric'),
      ]),
    ]),
    element('tbody', {}, slices.map(row)),
  ]);
}
