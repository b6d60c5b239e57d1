import * as l10n from '@vscode/l10n';
import type { Slice } from '../../protocol/slices.ts';
import { element } from '../components/element.ts';
import { count, images, percent } from '../../charts/format.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { bar } from '../components/probabilityBars.ts';
import { setText } from '../components/setText.ts';
import { dropdown, labelled, textField } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import type { ImageGroup } from './imageGroup.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import { shownSlices, sliceChoices, sliceTitles, type SlicesBy } from './shownSlices.ts';

export type SliceSection = { element: HTMLElement; draw: (evaluation: ShownEvaluation, by: SlicesBy) => void };

/** The accuracy of parts of the images. */
export function sliceSection(onChoose: (by: SlicesBy) => void, onOpen: (group: ImageGroup) => void): SliceSection {
  let chosen: SlicesBy = { by: 'brightness', pattern: '' };
  const choice = dropdown(l10n.t('Slices by'), (value) => {
    const by = sliceChoices.find((each) => each === value);
    if (by) onChoose({ ...chosen, by });
  });
  const pattern = element('span');
  const note = element('p', { class: 'hint' });
  const table = element('div', { class: 'scroll-x' });
  const section = element('section', { 'aria-label': l10n.t('Slices') }, [
    element('h2', {}, [l10n.t('Slices')]),
    element('div', { class: 'toolbar' }, [labelled(l10n.t('Slices by'), choice.element), pattern]),
    note,
    table,
  ]);
  const draw = whenChanged((evaluation: ShownEvaluation, of: SlicesBy) => {
    if (pattern.childElementCount === 0) pattern.append(patternField(of.pattern, (text) => onChoose({ ...chosen, pattern: text }))); // prettier-ignore
    chosen = of;
    pattern.hidden = of.by !== 'path';
    choice.update(
      sliceChoices.map((each) => ({ value: each, label: sliceTitles[each] })),
      of.by,
    );
    const slices = shownSlices(evaluation, of);
    setText(note, slices.length === 0 ? withoutSlices(of) : meaningOf[of.by]);
    keepFocus(table, () => table.replaceChildren(...(slices.length === 0 ? [] : [sliceTable(slices, of, onOpen)])));
  });
  return { element: section, draw };
}

function patternField(value: string, onInput: (pattern: string) => void): HTMLElement {
  const label = l10n.t('Part of the path, in which * is any text');
  return textField({ label, placeholder: label, value, onInput });
}

const meaningOf: Record<SlicesBy['by'], string> = {
  size: l10n.t('Four parts by the short side, in pixels.'),
  brightness: l10n.t('Four parts by the mean brightness of the center crop, from 0 to 255.'),
  sharpness: l10n.t('Four parts by how much the center crop’s neighboring pixels differ; a few in a blurred image.'),
  path: l10n.t('Images whose path in the data has this in it, and the others.'),
};

function withoutSlices({ by }: SlicesBy): string {
  if (by === 'path') return l10n.t('Type a part of the path, such as a folder.');
  return l10n.t('This result is from before images were measured: test again.');
}

function sliceTable(slices: readonly Slice[], of: SlicesBy, onOpen: (group: ImageGroup) => void): HTMLElement {
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
        heading(sliceTitles[of.by], 'textual'),
        heading(l10n.t('Images'), 'numeric'),
        heading(l10n.t('Accuracy'), 'numeric'),
        heading(l10n.t('95 % interval'), 'numeric'),
      ]),
    ]),
    element('tbody', {}, slices.map(row)),
  ]);
}
