import * as l10n from '@vscode/l10n';
import { count } from '../../charts/format.ts';
import type { PointLook } from '../../charts/pointLook.ts';
import { markerCorners } from '../../charts/runStyle.ts';
import { element, svg } from '../components/element.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { setText } from '../components/setText.ts';
import { button, setDisabled, textField } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import type { Group, Grouping } from './groups.ts';

export type MapLegendOptions = {
  /** Sets a group apart, or takes it back. */
  onToggle: (key: string) => void;
  onAll: () => void;
  /** Selects the images of the groups that are set apart. */
  onSelect: () => void;
};

export type MapLegend = {
  element: HTMLElement;
  draw: (grouping: Grouping, apart: readonly string[], curves: readonly string[]) => void;
};

/** Groups from which on a field looks for them by name. */
const searchedFrom = 12;

/** The groups with their looks and counts: a press sets one apart, and the others go to the background. */
export function mapLegend({ onToggle, onAll, onSelect }: MapLegendOptions): MapLegend {
  const list = element('ul', { class: 'groups', role: 'group', 'aria-label': l10n.t('Legend') });
  const nothing = element('p', { class: 'hint', role: 'status' });
  const note = element('p', { class: 'hint' });
  const all = button({ label: l10n.t('Show all'), onClick: onAll });
  const select = button({ label: l10n.t('Select them'), title: l10n.t('Selects the images of what is set apart'), onClick: onSelect }); // prettier-ignore
  let wanted = '';
  let drawn: Parameters<MapLegend['draw']> | undefined;
  const search = textField({
    label: l10n.t('Find a class'),
    placeholder: l10n.t('Find a class'),
    value: '',
    onInput: (value) => {
      wanted = value;
      if (drawn) build(drawn[0].groups, drawn[1], drawn[2], wanted);
    },
  });
  // One stop for the Tab key: arrows go from group to group.
  list.addEventListener('keydown', (event) => {
    const buttons = [...list.querySelectorAll<HTMLButtonElement>('button')];
    const now = buttons.findIndex((each) => each === document.activeElement);
    const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined || now < 0) return;
    event.preventDefault();
    const target = buttons[Math.max(0, Math.min(buttons.length - 1, next))];
    for (const each of buttons) each.tabIndex = each === target ? 0 : -1;
    target?.focus();
  });
  const build = whenChanged(
    (groups: readonly Group[], apart: readonly string[], curves: readonly string[], text: string) => {
      const shown = groups.filter(({ title }) => title.toLowerCase().includes(text.trim().toLowerCase()));
      nothing.hidden = shown.length > 0;
      setText(nothing, l10n.t('There is no such class.'));
      keepFocus(list, () =>
        list.replaceChildren(...shown.map((group, at) => entry(group, apart.includes(group.key), curves, at === 0))),
      );
    },
  );
  const entry = (
    { key, title, count: number, look }: Group,
    isApart: boolean,
    curves: readonly string[],
    first: boolean,
  ) =>
    element('li', {}, [
      element(
        'button',
        {
          type: 'button',
          class: 'group',
          'aria-pressed': isApart,
          tabindex: first ? 0 : -1,
          onclick: () => onToggle(key),
        },
        [
          lookSample(look, curves),
          element('span', { class: 'group-name' }, [title]),
          element('span', { class: 'group-count' }, [count(number)]),
        ],
      ),
    ]);
  return {
    element: element('section', { class: 'legend', 'aria-label': l10n.t('Legend') }, [
      search,
      list,
      nothing,
      note,
      element('div', { class: 'toolbar' }, [all, select]),
    ]),
    draw: (grouping, apart, curves) => {
      drawn = [grouping, apart, curves];
      search.hidden = grouping.groups.length < searchedFrom;
      setText(note, noteOf(grouping, apart));
      for (const control of [all, select]) setDisabled(control, apart.length === 0);
      build(grouping.groups, apart, curves, search.hidden ? '' : wanted);
    },
  };
}

function noteOf({ looksRepeat }: Grouping, apart: readonly string[]): string {
  if (looksRepeat) return l10n.t('There are more classes than looks, so looks repeat. Press a class to set it apart; others become gray.'); // prettier-ignore
  if (apart.length === 0) return l10n.t('Press an entry to set it apart; others become gray.');
  return l10n.t('Only what is set apart can be selected.');
}

/** A point as the map draws it. */
function lookSample(look: PointLook | undefined, curves: readonly string[]): SVGSVGElement {
  const corners = look ? markerCorners(look.marker, 5) : [];
  const fill = look?.color === undefined ? 'var(--muted)' : (curves[look.color % curves.length] ?? 'currentColor');
  const opacity = look ? 1 : 0.35;
  const mark =
    corners.length === 0
      ? svg('circle', { cx: 7, cy: 7, r: look ? 5 : 3.5, fill, opacity })
      : svg('polygon', { points: corners.map(([x, y]) => `${7 + x},${7 + y}`).join(' '), fill, opacity });
  return svg('svg', { width: 14, height: 14, viewBox: '0 0 14 14', 'aria-hidden': 'true' }, [mark]);
}
