import type { Cleaning, CleaningItem } from '../../protocol/cleaning.ts';
import type { CleaningPanelToHost } from '../../protocol/cleaningPanel.ts';
import type { EditedData } from '../components/editedData.ts';
import type { ItemAction } from './itemAction.ts';
import { acceptedEdit } from './itemTexts.ts';
import type { CleaningPageState } from './pageState.ts';

/** The images that are shown of the data. */
export type ShownItems = {
  /** Images of the kind that is shown, without those that something was asked for. */
  items: () => readonly CleaningItem[];
  chosen: () => CleaningItem | undefined;
  /** Does something with the chosen image, which the page may not show yet where keys come faster than frames. */
  act: (action: ItemAction) => void;
};

/** What tells an item from all others of its kind: an image may have several twins. */
export function itemKey({ image, twin }: CleaningItem): string {
  return `${image}\n${twin ?? ''}`;
}

/** `onChange` is called when other images are shown. */
export function shownItems(
  data: EditedData<Cleaning>,
  state: { readonly value: CleaningPageState; change: (part: Partial<CleaningPageState>) => void },
  send: (message: Extract<CleaningPanelToHost, { type: 'open' | 'otherClass' }>) => void,
  onChange: () => void,
): ShownItems {
  // Of near-duplicates one may be gone: what remains is no pair.
  const isOpen = ({ image, twin }: CleaningItem) => data.isOpen(image) && (twin === undefined || data.isOpen(twin));
  const items = () => (data.figures?.items ?? []).filter((item) => item.kind === state.value.kind && isOpen(item));
  const chosen = () => items().find((item) => itemKey(item) === state.value.selected) ?? items()[0];
  return {
    items,
    chosen,
    act: (action) => {
      const item = chosen();
      if (!item) return;
      const { image } = item;
      if (action === 'open' || action === 'otherClass') {
        send({ type: action, image });
        return;
      }
      const edit = action === 'accept' ? acceptedEdit(item) : { kind: action, images: [image] };
      if (!edit) return;
      const before = items();
      const at = before.indexOf(item);
      data.edit(image, edit);
      // What comes next is selected, so that the keys walk through the list.
      const next = before.slice(at).find(isOpen) ?? before.slice(0, at).findLast(isOpen);
      state.change({ selected: next && itemKey(next) });
      onChange();
    },
  };
}
