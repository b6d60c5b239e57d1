import * as l10n from '@vscode/l10n';
import { type Cleaning, cleaningKinds } from '../../protocol/cleaning.ts';
import type { CleaningPanelToHost, CleaningPanelToPage } from '../../protocol/cleaningPanel.ts';
import type { FeatureSources } from '../../protocol/featurePanel.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import { editingPage } from '../components/editingPage.ts';
import type { KeptState } from '../components/host.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { dropdown, labelled } from '../components/toolkit.ts';
import { cleaningHeader } from './cleaningHeader.ts';
import { confusedClasses } from './confusedClasses.ts';
import { itemDetail } from './itemDetail.ts';
import { itemList } from './itemList.ts';
import { kindTitle, offeredKinds, shownOf } from './itemTexts.ts';
import type { CleaningPageState } from './pageState.ts';
import { itemKey, shownItems } from './shownItems.ts';

export type CleaningViewOptions = {
  root: HTMLElement;
  state: KeptState<CleaningPageState>;
  send: (message: CleaningPanelToHost) => void;
};

/** The page: built once; returns what takes the host's messages. */
export function cleaningView({ root, state, send }: CleaningViewOptions): (message: CleaningPanelToPage) => void {
  const { page, data, told } = editingPage<Cleaning, FeatureSources>(send);
  const { thumbnails, large } = page;
  const shown = shownItems(data, state, send, () => refresh());
  const header = cleaningHeader(send, page, data);
  const kinds = dropdown(l10n.t('Show'), (value) => {
    state.change({ kind: cleaningKinds.find((kind) => kind === value) ?? 'label', selected: undefined });
    refresh();
  });
  const detail = itemDetail(large, (action) => {
    shown.act(action);
    list.focus();
  });
  const list = itemList({
    state,
    thumbnails,
    name: data.name,
    onSelect: (selected) => {
      state.change({ selected: itemKey(selected) });
      detail.draw(shown.chosen(), data.name);
    },
    onAction: shown.act,
  });
  const confused = confusedClasses(data);
  const images = element('div', { class: 'images' }, [labelled(l10n.t('Show'), kinds.element), list.element]);
  const body = element('main', {}, [images, detail.element]);
  root.append(...header.elements, body, confused.element);
  keepScroll({
    kept: state.value.scroll.page,
    keep: (page) => state.change({ scroll: { ...state.value.scroll, page } }),
  });

  const refresh = everyFrame(() => {
    const { figures: cleaning } = data;
    header.draw();
    body.hidden = cleaning === undefined;
    kinds.update(
      offeredKinds(cleaning, state.value.kind).map((kind) => ({
        value: kind,
        label: `${kindTitle(kind)} (${cleaning ? shownOf(cleaning, kind) : 0})`,
      })),
      state.value.kind,
    );
    list.draw(shown.items(), shown.chosen());
    detail.draw(shown.chosen(), data.name);
    confused.draw();
  });
  refresh();

  return (message) => {
    if (message.type === 'chosen') {
      if (message.time !== state.value.chosenAt) state.change({ kind: 'chosen', chosenAt: message.time, selected: undefined }); // prettier-ignore
    } else if (!told(message)) return;
    refresh();
  };
}
