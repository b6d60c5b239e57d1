import type { PredictionPanelToHost, PredictionPanelToPage } from '../../protocol/predictionPanel.ts';
import { acceptDrops } from '../components/acceptDrops.ts';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import type { KeptState } from '../components/host.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { classifiedImages } from './classifiedImages.ts';
import { detailPlace } from './detailPlace.ts';
import { dropZone } from './dropZone.ts';
import { imageList } from './imageList.ts';
import { knownLooks } from './knownLooks.ts';
import { knownPredictions } from './knownPredictions.ts';
import type { PredictionPageState } from './pageState.ts';
import { predictionHeader } from './predictionHeader.ts';
import { predictionsCsv, type PredictionRow } from './predictionRows.ts';

const previewPixels = 1200;

export type PredictionViewOptions = {
  root: HTMLElement;
  state: KeptState<PredictionPageState>;
  send: (message: PredictionPanelToHost) => void;
};

/** The page: built once; returns what takes the host's messages. */
export function predictionView({ root, state, send }: PredictionViewOptions): (message: PredictionPanelToPage) => void {
  const known = knownPredictions();
  /** Shown while the user has selected none. */
  let first: string | undefined;

  const keepScrolled = (part: Partial<PredictionPageState['scroll']>): void =>
    state.change({ scroll: { ...state.value.scroll, ...part } });
  const open = (image: string): void => send({ type: 'open', image });
  const remove = (image: string): void => {
    const shown = list.chosen(known.rows(), known.crops);
    const at = shown.findIndex((row) => row.image === image);
    // What comes next is selected, so that one after the other can be taken off.
    if (image === chosen()?.image) state.change({ selected: (shown[at + 1] ?? shown[at - 1])?.image });
    send({ type: 'remove', image });
  };

  const looks = knownLooks(send, () => refresh());
  const drawDetail = (): void => {
    const row = chosen();
    detail.draw(row, looks.of(row?.image), state.value.opacity);
  };

  const spoken = announcer();
  const header = predictionHeader(send, () =>
    send({ type: 'exportCsv', content: predictionsCsv(list.chosen(known.rows(), known.crops)) }),
  );
  const list = imageList({
    state,
    onChange: () => refresh(),
    onSelect: (selected) => {
      state.change({ selected });
      drawDetail();
    },
    onOpen: open,
    onRemove: remove,
  });
  const detail = detailPlace({
    onOpen: open,
    onRemove: remove,
    onWanted: (image) => send({ type: 'preview', image, size: previewPixels }),
    scrolled: state.value.scroll.detail,
    onScroll: (top) => keepScrolled({ detail: top }),
    onLook: (index) => looks.look(chosen()?.image, index),
    onCancel: () => looks.look(undefined, undefined),
    classes: () => known.classes,
    onOpacity: (opacity) => {
      state.change({ opacity });
      drawDetail();
    },
  });
  const empty = dropZone(() => send({ type: 'chooseImages' }));
  const body = element('main', {}, [list.element, detail.element]);
  root.append(spoken.element, ...header.elements, empty, body);
  acceptDrops(document.body, (uris) => send({ type: 'dropped', uris }));
  keepScroll({ kept: state.value.scroll.page, keep: (page) => keepScrolled({ page }) });

  /** The image that the user selected; one from an earlier life may come late. */
  const chosen = (): PredictionRow | undefined => known.row(state.value.selected) ?? known.row(first);
  const refresh = everyFrame(() => {
    const { setup, progress, problem, crops } = known;
    const all = known.rows();
    const shown = list.chosen(all, crops);
    if (known.row(first)?.kind !== 'classified')
      first = (shown.find(({ kind }) => kind === 'classified') ?? shown[0])?.image;
    const busy = progress?.busy === true;
    const unclassified = all.filter(({ kind }) => kind === 'unclassified').length;
    header.draw({ setup, progress, problem, all: all.length, unclassified });
    empty.hidden = all.length > 0 || busy;
    body.hidden = all.length === 0;
    body.classList.toggle('single', all.length === 1);
    list.draw(shown, all.length, crops, chosen()?.image);
    drawDetail();
    if (busy) spoken.say(progress.what);
    else if (all.length > 0) spoken.say(classifiedImages(all));
  });
  refresh();

  return (message) => {
    if (message.type === 'preview') detail.arrived(message.image, message.picture);
    else if (!looks.hear(message)) known.hear(message);
    refresh();
  };
}
