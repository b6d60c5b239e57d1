import type { Cleaning, CleaningItem } from '../../protocol/cleaning.ts';
import type { CleaningPanelToHost } from '../../protocol/cleaningPanel.ts';
import type { ItemAction } from './itemAction.ts';
import { acceptedEdit, classNamesOf, type ClassName } from './itemTexts.ts';
import type { CleaningPageState } from './pageState.ts';

/** What is known of the data, and the images that are shown of it. */
export type ShownItems = {
  readonly cleaning: Cleaning | undefined;
  /** Takes new figures, or with none the word that something failed; `isAnswer` as the message says it. */
  told: (cleaning: Cleaning | undefined, isAnswer: boolean) => void;
  name: ClassName;
  /** Images of the kind that is shown, without those that something was asked for. */
  items: () => readonly CleaningItem[];
  chosen: () => CleaningItem | undefined;
  /** Does something with the chosen image, which the page may not show yet where keys come faster than frames. */
  act: (action: ItemAction) => void;
  undo: () => void;
  redo: () => void;
};

/** What tells an item from all others of its kind: an image may have several twins. */
export function itemKey({ image, twin }: CleaningItem): string {
  return `${image}\n${twin ?? ''}`;
}

/** `onChange` is called when other images are shown. */
export function shownItems(
  state: { readonly value: CleaningPageState; change: (part: Partial<CleaningPageState>) => void },
  send: (message: CleaningPanelToHost) => void,
  onChange: () => void,
): ShownItems {
  let cleaning: Cleaning | undefined;
  let name: ClassName = String;
  /** Images that something was asked for, until all answers have come. */
  const handled = new Set<string>();
  let unanswered = 0;

  const ask = (message: CleaningPanelToHost): void => {
    unanswered++;
    send(message);
  };
  // Of near-duplicates one may be gone: what remains is no pair.
  const isOpen = ({ image, twin }: CleaningItem) => !handled.has(image) && !(twin !== undefined && handled.has(twin));
  const items = () => (cleaning?.items ?? []).filter((item) => item.kind === state.value.kind && isOpen(item));
  const chosen = () => items().find((item) => itemKey(item) === state.value.selected) ?? items()[0];
  return {
    get cleaning() {
      return cleaning;
    },
    told: (next, isAnswer) => {
      if (isAnswer) unanswered = Math.max(0, unanswered - 1);
      if (unanswered === 0) handled.clear();
      if (!next) return;
      cleaning = next;
      name = classNamesOf(next);
    },
    name: (folder) => name(folder),
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
      handled.add(image);
      // What comes next is selected, so that the keys walk through the list.
      const next = before.slice(at).find(isOpen) ?? before.slice(0, at).findLast(isOpen);
      state.change({ selected: next && itemKey(next) });
      ask({ type: 'edit', edit });
      onChange();
    },
    undo: () => {
      if (cleaning?.undo) ask({ type: 'undo' });
    },
    redo: () => {
      if (cleaning?.redo) ask({ type: 'redo' });
    },
  };
}
