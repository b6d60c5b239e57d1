import * as l10n from '@vscode/l10n';
import type { NextImage } from '../../protocol/labelling.ts';
import { element } from '../components/element.ts';
import { fileName, percent } from '../../charts/format.ts';
import type { KeptState } from '../components/host.ts';
import type { Pictures } from '../components/pictures.ts';
import { virtualList } from '../components/virtualList.ts';
import type { LabellingPageState } from './pageState.ts';

const rowHeight = 64;

export type ImageQueueOptions = {
  state: KeptState<LabellingPageState>;
  thumbnails: Pictures;
  name: (folder: string) => string;
  chosen: () => NextImage | undefined;
  onSelect: (item: NextImage) => void;
  onLabel: (folder: string) => void;
  onSkip: () => void;
  /** A letter of a class was typed. */
  onLetter: (letter: string) => void;
};

export type ImageQueue = {
  element: HTMLElement;
  focus: () => void;
  draw: (items: readonly NextImage[], selected: NextImage | undefined) => void;
};

/** The images to be labelled next, walked by arrow keys: Enter and digits label, Space and Delete skip, letters begin a class. */
export function imageQueue(options: ImageQueueOptions): ImageQueue {
  const { state, thumbnails, name, chosen, onSelect, onLabel, onSkip, onLetter } = options;
  const labelAs = (at: number): void => {
    const folder = chosen()?.likely[at]?.folder;
    if (folder !== undefined) onLabel(folder);
  };
  const list = virtualList<NextImage>({
    label: l10n.t('Images'),
    rowHeight,
    key: ({ image }) => image,
    row: ({ image, likely: [first], isSkipped }) =>
      element('div', { class: 'row' }, [
        thumbnails.image(image, fileName(image)),
        element('div', { class: 'row-text' }, [
          element('span', { class: 'row-class' }, [first ? name(first.folder) : fileName(image)]),
          element('span', {}, [
            [...(first ? [percent(first.probability, 0)] : []), ...(isSkipped ? [l10n.t('skipped')] : [])].join(' · '),
          ]),
          element('span', { class: 'hint' }, [fileName(image)]),
        ]),
      ]),
    context: () => ({}),
    onSelect,
    onOpen: () => labelAs(0),
    onDelete: onSkip,
    scroll: {
      kept: state.value.scroll.list,
      keep: (top) => state.change({ scroll: { ...state.value.scroll, list: top } }),
    },
  });
  // A key that is held down would label images that nobody has seen; those that move go on.
  list.element.addEventListener(
    'keydown',
    (event) => {
      if (!event.repeat || !/^(?:Enter|Delete|Backspace| |\d)$/u.test(event.key)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
  list.element.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === ' ') onSkip();
    else if (/^[1-9]$/u.test(event.key)) labelAs(Number(event.key) - 1);
    else if (/^\p{L}$/u.test(event.key)) onLetter(event.key);
    else return;
    event.preventDefault();
  });
  const nothing = element('p', { class: 'empty', role: 'status' }, [
    l10n.t('There is no image left to label. Drop or paste images here, or add some.'),
  ]);
  return {
    element: element('div', {}, [nothing, list.element]),
    focus: () => list.element.focus(),
    draw: (items, selected) => {
      nothing.hidden = items.length > 0;
      list.element.hidden = items.length === 0;
      list.show(items, selected?.image, true);
    },
  };
}
