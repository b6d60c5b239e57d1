import type { Labelling, NextImage } from '../../protocol/labelling.ts';
import type { EditedData } from '../components/editedData.ts';
import type { LabellingPageState } from './pageState.ts';

/** The images without labels that are shown. */
export type OpenImages = {
  /** The images to be labelled next, without those that something was asked for. */
  items: () => readonly NextImage[];
  chosen: () => NextImage | undefined;
  /** Labels the chosen image, which the page may not show yet where keys come faster than frames. */
  label: (to: string) => void;
  skip: () => void;
};

/** `onChange` is called when other images are shown. */
export function openImages(
  data: EditedData<Labelling>,
  state: { readonly value: LabellingPageState; change: (part: Partial<LabellingPageState>) => void },
  onChange: () => void,
): OpenImages {
  const items = () => (data.figures?.next ?? []).filter(({ image }) => data.isOpen(image));
  const chosen = () => items().find(({ image }) => image === state.value.selected) ?? items()[0];
  const edit = (kind: 'label' | 'skip', to: string): void => {
    const item = chosen();
    if (!item) return;
    const images = [item.image];
    // What would teach most then is next, wherever in the list this one was.
    state.change({ selected: undefined });
    data.edit(item.image, kind === 'label' ? { kind, images, to } : { kind, images });
    onChange();
  };
  return { items, chosen, label: (to) => edit('label', to), skip: () => edit('skip', '') };
}
