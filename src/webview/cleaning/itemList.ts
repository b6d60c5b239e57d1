import * as l10n from '@vscode/l10n';
import type { CleaningItem } from '../../protocol/cleaning.ts';
import type { ClassName } from '../components/editText.ts';
import { element } from '../components/element.ts';
import { fileName } from '../../charts/format.ts';
import type { KeptState } from '../components/host.ts';
import type { Pictures } from '../components/pictures.ts';
import { setText } from '../components/setText.ts';
import { virtualList } from '../components/virtualList.ts';
import type { ItemAction } from './itemAction.ts';
import { reasonOf } from './itemTexts.ts';
import type { CleaningPageState } from './pageState.ts';
import { itemKey } from './shownItems.ts';

const rowHeight = 64;

export type ItemListOptions = {
  state: KeptState<CleaningPageState>;
  thumbnails: Pictures;
  name: ClassName;
  onSelect: (item: CleaningItem) => void;
  onAction: (action: ItemAction) => void;
};

export type ItemList = {
  element: HTMLElement;
  focus: () => void;
  draw: (items: readonly CleaningItem[], selected: CleaningItem | undefined) => void;
};

/** The images of a kind, walked by arrow keys: Enter, Delete and letters do something with the selected one. */
export function itemList({ state, thumbnails, name, onSelect, onAction }: ItemListOptions): ItemList {
  const nothing = element('p', { class: 'empty', role: 'status' });
  const list = virtualList<CleaningItem>({
    label: l10n.t('Images'),
    rowHeight,
    key: itemKey,
    row: (item) =>
      element('div', { class: 'row' }, [
        thumbnails.image(item.image, fileName(item.image)),
        element('div', { class: 'row-text' }, [
          element('span', { class: 'row-class' }, [name(item.folder)]),
          element('span', {}, [reasonOf(item, name)]),
          element('span', { class: 'hint' }, [fileName(item.image)]),
        ]),
      ]),
    context: () => ({}),
    onSelect,
    onOpen: () => onAction('accept'),
    onDelete: () => onAction('putAside'),
    scroll: {
      kept: state.value.scroll.list,
      keep: (top) => state.change({ scroll: { ...state.value.scroll, list: top } }),
    },
  });
  list.element.addEventListener('keydown', (event) => {
    const letters: Partial<Record<string, ItemAction>> = { k: 'keep', c: 'otherClass', o: 'open' };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : letters[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    onAction(action);
  });
  return {
    element: element('div', {}, [nothing, list.element]),
    focus: () => list.element.focus(),
    draw: (items, selected) => {
      nothing.hidden = items.length > 0;
      setText(nothing, l10n.t('There is no such image.'));
      list.element.hidden = items.length === 0;
      list.show(items, selected && itemKey(selected), true);
    },
  };
}
