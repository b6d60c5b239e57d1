import * as l10n from '@vscode/l10n';
import type { Labelling } from '../../protocol/labelling.ts';
import type { LabellingPanelToHost, LabellingPanelToPage } from '../../protocol/labellingPanel.ts';
import { classField } from '../components/classField.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import { editingPage } from '../components/editingPage.ts';
import type { KeptState } from '../components/host.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { camera } from './camera.ts';
import { acceptImages, giveImage } from './givenImages.ts';
import { imageDetail } from './imageDetail.ts';
import { imageQueue } from './imageQueue.ts';
import { labellingHeader, type LabellingSources } from './labellingHeader.ts';
import { openImages } from './openImages.ts';
import type { LabellingPageState } from './pageState.ts';

/** Images after the chosen one whose large pictures are fetched ahead. */
const fetchedAhead = 4;

export type LabellingViewOptions = {
  root: HTMLElement;
  state: KeptState<LabellingPageState>;
  send: (message: LabellingPanelToHost) => void;
};

/** The page: built once; returns what takes the host's messages. */
export function labellingView({ root, state, send }: LabellingViewOptions): (message: LabellingPanelToPage) => void {
  const { page, data, told } = editingPage<Labelling, LabellingSources>(send);
  const { thumbnails, large } = page;
  const open = openImages(data, state, () => refresh());
  const cameraPlace = camera((picture) => void giveImage(send, picture));
  const header = labellingHeader(send, page, data, () => void cameraPlace.open());
  const thenFocus = (work: () => void): void => {
    work();
    queue.focus();
  };
  const label = (folder: string) => thenFocus(() => open.label(folder));
  const skip = () => thenFocus(open.skip);
  const field = classField({
    label: l10n.t('Class'),
    placeholder: l10n.t('Type a class, also a new one'),
    canBeNew: true,
    onChoose: label,
    onLeave: () => queue.focus(),
  });
  const openChosen = () => open.chosen() && send({ type: 'open', image: open.chosen()?.image ?? '' });
  const detail = imageDetail(large, field.element, { label, skip, open: openChosen });
  const queue = imageQueue({
    state,
    thumbnails,
    name: data.name,
    chosen: open.chosen,
    onSelect: ({ image }) => {
      state.change({ selected: image });
      detail.draw(open.chosen(), data.name);
    },
    onLabel: label,
    onSkip: skip,
    onLetter: field.begin,
  });
  const body = element('main', {}, [element('div', { class: 'images' }, [queue.element]), detail.element]);
  root.append(...header.elements, cameraPlace.element, body);
  acceptImages(send);
  keepScroll({
    kept: state.value.scroll.page,
    keep: (page) => state.change({ scroll: { ...state.value.scroll, page } }),
  });

  const refresh = everyFrame(() => {
    const { figures: labelling } = data;
    header.draw();
    const isFirst = body.hidden && labelling !== undefined;
    body.hidden = labelling === undefined;
    field.update(labelling?.classes ?? []);
    const [items, chosen] = [open.items(), open.chosen()];
    queue.draw(items, chosen);
    // The keys work at once.
    if (isFirst && document.activeElement === document.body) queue.focus();
    detail.draw(chosen, data.name);
    const at = chosen ? items.indexOf(chosen) : 0;
    // So that the next image is there as soon as this one has its label.
    for (const { image } of items.slice(at + 1, at + 1 + fetchedAhead)) large.image(image, '');
  });
  refresh();

  return (message) => {
    if (told(message)) refresh();
  };
}
