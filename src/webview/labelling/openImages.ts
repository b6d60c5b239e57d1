import type { Labelling, NextImage } from '../../protocol/labelling.ts';
import type { LabellingPanelToHost } from '../../protocol/labellingPanel.ts';
import type { LabellingPageState } from './pageState.ts';

/** What is known of the images without labels, and those that are shown. */
export type OpenImages = {
  readonly labelling: Labelling | undefined;
  /** Takes new figures, or with none the word that something was done or failed; `isAnswer` as the message says it. */
  told: (labelling: Labelling | undefined, isAnswer: boolean) => void;
  /** What a class's folder is called. */
  name: (folder: string) => string;
  /** The images to be labelled next, without those that something was asked for. */
  items: () => readonly NextImage[];
  chosen: () => NextImage | undefined;
  /** Labels the chosen image, which the page may not show yet where keys come faster than frames. */
  label: (to: string) => void;
  skip: () => void;
  undo: () => void;
  redo: () => void;
};

/** `onChange` is called when other images are shown. */
export function openImages(
  state: { readonly value: LabellingPageState; change: (part: Partial<LabellingPageState>) => void },
  send: (message: LabellingPanelToHost) => void,
  onChange: () => void,
): OpenImages {
  let labelling: Labelling | undefined;
  /** Images that something was asked for, until all answers have come. */
  const handled = new Set<string>();
  let unanswered = 0;

  const ask = (message: LabellingPanelToHost): void => {
    unanswered++;
    send(message);
  };
  const items = () => (labelling?.next ?? []).filter(({ image }) => !handled.has(image));
  const chosen = () => items().find(({ image }) => image === state.value.selected) ?? items()[0];
  const edit = (kind: 'label' | 'skip', to: string): void => {
    const item = chosen();
    if (!item) return;
    const images = [item.image];
    handled.add(item.image);
    // What would teach most then is next, wherever in the list this one was.
    state.change({ selected: undefined });
    ask({ type: 'edit', edit: kind === 'label' ? { kind, images, to } : { kind, images } });
    onChange();
  };
  return {
    get labelling() {
      return labelling;
    },
    told: (next, isAnswer) => {
      if (isAnswer) unanswered = Math.max(0, unanswered - 1);
      if (unanswered === 0) handled.clear();
      if (next) labelling = next;
    },
    name: (folder) => labelling?.classes.find((each) => each.folder === folder)?.name ?? folder,
    items,
    chosen,
    label: (to) => edit('label', to),
    skip: () => edit('skip', ''),
    undo: () => {
      if (labelling?.undo || unanswered > 0) ask({ type: 'undo' });
    },
    redo: () => {
      if (labelling?.redo || unanswered > 0) ask({ type: 'redo' });
    },
  };
}
