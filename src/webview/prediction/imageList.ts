import * as l10n from '@vscode/l10n';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { element } from '../components/element.ts';
import type { KeptState } from '../components/host.ts';
import { menuContext } from '../components/menuContext.ts';
import { button, checkbox, dropdown, textField } from '../components/toolkit.ts';
import { virtualList } from '../components/virtualList.ts';
import { listSummary } from './classifiedImages.ts';
import type { PredictionPageState } from './pageState.ts';
import { predictionListRow } from './predictionListRow.ts';
import { chosenRows, rowOrders, type PredictionRow, type RowOrder } from './predictionRows.ts';
import { setText } from '../components/setText.ts';

const rowHeight = 60;

const orderWords: Record<RowOrder, string> = {
  name: l10n.t('By name'),
  probability: l10n.t('By probability'),
  agreement: l10n.t('By agreement of the crops'),
  class: l10n.t('By class'),
};

export type ImageListOptions = {
  state: KeptState<PredictionPageState>;
  /** The user changed order or filter. */
  onChange: () => void;
  onSelect: (image: string) => void;
  onOpen: (image: string) => void;
  onRemove: (image: string) => void;
};

export type ImageList = {
  element: HTMLElement;
  /** The rows that the filter leaves, in order. */
  chosen: (rows: readonly PredictionRow[], crops: CropCount) => PredictionRow[];
  draw: (shown: readonly PredictionRow[], all: number, crops: CropCount, selected: string | undefined) => void;
};

/** The list of images with its filter and order. What compares crops is offered with several crops only. */
export function imageList({ state, onChange, onSelect, onOpen, onRemove }: ImageListOptions): ImageList {
  const change = (part: Partial<PredictionPageState>): void => {
    state.change(part);
    onChange();
  };
  const order = dropdown(l10n.t('Order of the images'), (value) => {
    const found = rowOrders.find((known) => known === value) ?? 'name';
    // Doubtful ones are what one looks for: lowest first, whichever way the last order went.
    change({ order: found, descending: false });
  });
  const direction = button({
    label: '⇅',
    title: l10n.t('Reverse the order'),
    onClick: () => change({ descending: !state.value.descending }),
  });
  direction.setAttribute('aria-label', l10n.t('Reverse the order'));
  const disagreeing = checkbox({
    label: l10n.t('Crops disagree'),
    title: l10n.t('Only images whose crops do not all say the same class'),
    checked: state.value.onlyDisagreeing,
    onChange: (onlyDisagreeing) => change({ onlyDisagreeing }),
  });
  const filter = textField({
    label: l10n.t('Filter by file or class'),
    placeholder: l10n.t('Filter by file or class'),
    value: state.value.filter,
    onInput: (text) => change({ filter: text }),
  });
  const counted = element('p', { class: 'hint counted' });
  const nothing = element('p', { class: 'empty', role: 'status' });
  const list = virtualList<PredictionRow>({
    label: l10n.t('Images'),
    rowHeight,
    key: ({ image }) => image,
    row: predictionListRow,
    context: ({ image }) => menuContext('image', { image }),
    onSelect: ({ image }) => onSelect(image),
    onOpen: ({ image }) => onOpen(image),
    onDelete: ({ image }) => onRemove(image),
    scroll: {
      kept: state.value.scroll.list,
      keep: (top) => state.change({ scroll: { ...state.value.scroll, list: top } }),
    },
  });
  return {
    element: element('aside', { class: 'images', 'aria-label': l10n.t('Images') }, [
      element('div', { class: 'toolbar list-tools' }, [filter, order.element, direction, disagreeing]),
      counted,
      nothing,
      list.element,
    ]),
    chosen: (rows, crops) => chosenRows(rows, seenState(state.value, crops)),
    draw: (shown, all, crops, selected) => {
      const seen = seenState(state.value, crops);
      disagreeing.hidden = crops === 1;
      order.update(
        rowOrders
          .filter((value) => crops > 1 || value !== 'agreement')
          .map((value) => ({ value, label: orderWords[value] })),
        seen.order,
      );
      setText(counted, listSummary(shown, all));
      nothing.hidden = shown.length > 0;
      setText(nothing, whyNothing(seen));
      list.element.hidden = shown.length === 0;
      list.show(shown, selected, selected === state.value.selected);
    },
  };
}

/** What is kept of the filter stays kept, and counts again with several crops. */
function seenState(state: PredictionPageState, crops: CropCount): PredictionPageState {
  if (crops > 1) return state;
  return { ...state, onlyDisagreeing: false, order: state.order === 'agreement' ? 'name' : state.order };
}

function whyNothing({ filter, onlyDisagreeing }: PredictionPageState): string {
  const text = filter.trim();
  if (text === '') return onlyDisagreeing ? l10n.t('The crops of every image agree.') : l10n.t('There is no image.');
  return onlyDisagreeing
    ? l10n.t('The crops of every image with “{0}” in its name or class agree.', text)
    : l10n.t('There is no image with “{0}” in its name or class.', text);
}
