import type { Cleaning, CleaningItem } from '../../protocol/cleaning.ts';
import type { CleaningPanelToHost } from '../../protocol/cleaningPanel.ts';
import type { KeptState } from '../components/host.ts';
import type { ItemAction } from './itemDetail.ts';
import { acceptedEdit, classNamesOf, type ClassName } from './itemTexts.ts';
import type { CleaningPageState } from './pageState.ts';

/** What is known of the data, and the images that are shown of it. */
export type ShownItems = {
  readonly cleaning: Cleaning | undefined;
  /** Takes new figures, or with none the word that what was asked for last failed. */
  answered: (cleaning: Cleaning | undefined) => void;
  name: ClassName;
  /** Images of the kind that is shown, without those that something was asked for. */
  items: () => readonly CleaningItem[];
  chosen: () => CleaningItem | undefined;
  /** Does something with the chosen image, which the page may not show yet where keys come faster than frames. */
  act: (action: ItemAction) => void;
  undo: () => void;
  redo: () => void;
};

/** `onChange` is called when other images are shown. */
export function shownItems(
  state: KeptState<CleaningPageState>,
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
  const items = () => (cleaning?.items ?? []).filter(({ kind, image }) => kind === state.value.kind && !handled.has(image)); // prettier-ignore
  const chosen = () => items().find(({ image }) => image === state.value.selected) ?? items()[0];
  return {
    get cleaning() {
      return cleaning;
    },
    answered: (next) => {
      unanswered = Math.max(0, unanswered - 1);
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
      const at = before.findIndex((each) => each.image === image);
      // What comes next is selected, so that the keys walk through the list.
      state.change({ selected: (before[at + 1] ?? before[at - 1])?.image });
      handled.add(image);
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
