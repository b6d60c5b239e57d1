import type { PredictionPanelToHost, PredictionPanelToPage } from '../../protocol/predictionPanel.ts';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import { images } from '../components/format.ts';
import type { KeptState } from '../components/host.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { button, checkbox, dropdown, progressRing, setDisabled, textField } from '../components/toolkit.ts';
import { virtualList } from '../components/virtualList.ts';
import { droppedUris } from './droppedUris.ts';
import { imageDetail } from './imageDetail.ts';
import type { PredictionPageState } from './pageState.ts';
import { predictionListRow } from './predictionListRow.ts';
import {
  agreement,
  chosenRows,
  predictionsCsv,
  rowOrders,
  type PredictionRow,
  type RowOrder,
} from './predictionRows.ts';

const previewPixels = 1200;
const keptPreviews = 12;
const rowHeight = 60;
const chooseAnother = '…another';

const orderWords: Record<RowOrder, string> = {
  name: 'By name',
  probability: 'By probability',
  agreement: 'By agreement of the crops',
  class: 'By class',
};

type Of<Type extends PredictionPanelToPage['type']> = Extract<PredictionPanelToPage, { type: Type }>;

export type PredictionViewOptions = {
  root: HTMLElement;
  state: KeptState<PredictionPageState>;
  send: (message: PredictionPanelToHost) => void;
};

/** The page: built once; returns what takes the host's messages. */
export function predictionView({ root, state, send }: PredictionViewOptions): (message: PredictionPanelToPage) => void {
  const rows = new Map<string, PredictionRow>();
  const previews = new Map<string, string>();
  let setup: Of<'setup'> | undefined;
  let progress: Of<'progress'> | undefined;
  let problem: string | undefined;
  let detailKey = '';
  /** Shown while the user has selected none. */
  let first: string | undefined;

  const spoken = announcer();
  const source = dropdown('Classify with', (id) => {
    if (id !== chooseAnother) send({ type: 'source', id });
    else send({ type: 'chooseSource' });
    drawSetup();
  });
  const crops = dropdown('Crops', (value) => send({ type: 'crops', crops: value === '1' ? 1 : 5 }));
  const order = dropdown('Order of the images', (value) => {
    const found = rowOrders.find((known) => known === value) ?? 'name';
    // Doubtful ones are what one looks for: lowest first, whichever way the last order went.
    change({ order: found, descending: false });
  });
  const direction = button({
    label: '⇅',
    title: 'Reverse the order',
    onClick: () => change({ descending: !state.value.descending }),
  });
  direction.setAttribute('aria-label', 'Reverse the order');
  const cancel = button({ label: 'Cancel', onClick: () => send({ type: 'cancel' }) });
  const progressLine = element('span', { class: 'progress-text' });
  const busy = element('div', { class: 'busy' }, [progressRing(), progressLine, cancel]);
  const exporting = button({
    label: 'CSV',
    title: 'Export a row an image',
    onClick: () => send({ type: 'exportCsv', content: predictionsCsv(shownRows()) }),
  });
  const error = element('p', { class: 'notice error', role: 'alert' });
  const counted = element('p', { class: 'hint counted' });
  const detail = element('div', { class: 'detail-place' });
  const list = virtualList<PredictionRow>({
    label: 'Images',
    rowHeight,
    key: ({ image }) => image,
    row: predictionListRow,
    onSelect: ({ image }) => {
      state.change({ selected: image });
      drawDetail();
    },
    onOpen: ({ image }) => send({ type: 'open', image }),
  });
  const choose = () =>
    button({ label: 'Choose images…', primary: true, onClick: () => send({ type: 'chooseImages' }) });
  const empty = element('div', { class: 'empty drop-zone' }, [
    element('p', {}, ['Drop images or folders from the explorer here, holding Shift.']),
    choose(),
  ]);
  const body = element('main', {}, [
    element('aside', { class: 'images', 'aria-label': 'Images' }, [
      element('div', { class: 'toolbar list-tools' }, [
        textField({
          label: 'Filter by file or class',
          placeholder: 'Filter by file or class',
          value: state.value.filter,
          onInput: (filter) => change({ filter }),
        }),
        order.element,
        direction,
        checkbox({
          label: 'Crops disagree',
          title: 'Only images whose crops do not all say the same class',
          checked: state.value.onlyDisagreeing,
          onChange: (onlyDisagreeing) => change({ onlyDisagreeing }),
        }),
      ]),
      counted,
      list.element,
    ]),
    detail,
  ]);
  const header = element('header', { class: 'toolbar top' }, [
    source.element,
    crops.element,
    button({ label: 'Add images…', onClick: () => send({ type: 'chooseImages' }) }),
    exporting,
    busy,
  ]);
  root.append(spoken.element, header, error, empty, body);
  acceptDrops(document.body, (uris) => send({ type: 'dropped', uris }));

  /** The image that the user selected; one from an earlier life may come late. */
  const chosen = () => rows.get(state.value.selected ?? '') ?? rows.get(first ?? '');
  const shownRows = () => chosenRows([...rows.values()], state.value);
  const change = (part: Partial<PredictionPageState>): void => {
    state.change(part);
    refresh();
  };

  const drawSetup = (): void => {
    if (setup === undefined) return;
    const offered = setup.sources.map(({ id, label, description }) => ({
      value: id,
      label: description === '' ? label : `${label} – ${description}`,
    }));
    const none = setup.source === '' ? [{ value: '', label: 'Choose a classifier' }] : [];
    source.update([...none, ...offered, { value: chooseAnother, label: 'Another…' }], setup.source);
    crops.update(
      [
        { value: '5', label: 'Five crops' },
        { value: '1', label: 'Centre crop' },
      ],
      String(setup.crops),
    );
  };
  const drawProgress = (): void => {
    busy.hidden = progress?.busy !== true;
    if (progress?.busy === true) {
      const { what, done, total } = progress;
      progressLine.textContent = total > 0 ? `${what} ${done} of ${total}` : what;
    }
    error.hidden = problem === undefined;
    error.textContent = problem ?? '';
    spoken.say(progress?.busy === true ? progress.what : `${images(rows.size)} classified`);
  };
  const drawDetail = (): void => {
    const row = chosen();
    const picture = previews.get(row?.image ?? '');
    const key = `${row?.image ?? ''} ${row?.kind ?? ''} ${picture === undefined ? 'waiting' : 'here'}`;
    if (key === detailKey) return;
    const scrolled = detail.scrollTop;
    const sameImage = detailKey.startsWith(`${row?.image ?? ''} `);
    detailKey = key;
    const shown =
      row === undefined
        ? element('p', { class: 'empty' }, ['Select an image.'])
        : imageDetail(row, { picture, onOpen: (image) => send({ type: 'open', image }) });
    keepFocus(detail, () => detail.replaceChildren(shown));
    detail.scrollTop = sameImage ? scrolled : 0;
    if (row?.kind === 'classified' && picture === undefined) {
      send({ type: 'preview', image: row.image, size: previewPixels });
    }
  };
  const refresh = everyFrame(() => {
    const shown = shownRows();
    if (chosen() === undefined) first = (shown.find(({ kind }) => kind === 'classified') ?? shown[0])?.image;
    const none = rows.size === 0;
    empty.hidden = !none || progress?.busy === true;
    body.hidden = none;
    body.classList.toggle('single', rows.size === 1);
    setDisabled(exporting, none);
    order.update(
      rowOrders.map((value) => ({ value, label: orderWords[value] })),
      state.value.order,
    );
    counted.textContent = summary(shown, rows.size);
    list.show(shown, chosen()?.image);
    drawProgress();
    drawDetail();
  });
  const forget = (): void => {
    rows.clear();
    previews.clear();
    problem = undefined;
    detailKey = '';
  };
  refresh();

  return (message) => {
    switch (message.type) {
      case 'setup':
        setup = message;
        drawSetup();
        break;
      case 'clear':
        forget();
        break;
      case 'results':
        for (const one of message.predictions) {
          rows.set(one.prediction.image, { kind: 'classified', image: one.prediction.image, ...one });
        }
        for (const one of message.failed) rows.set(one.image, { kind: 'failed', ...one });
        break;
      case 'progress':
        progress = message;
        if (message.busy) problem = undefined;
        break;
      case 'error':
        problem = message.message;
        break;
      case 'preview':
        keep(previews, message.image, message.picture);
        break;
    }
    refresh();
  };
}

function keep(previews: Map<string, string>, image: string, picture: string): void {
  previews.set(image, picture);
  const oldest = previews.keys().next();
  if (previews.size > keptPreviews && oldest.done !== true) previews.delete(oldest.value);
}

function summary(shown: readonly PredictionRow[], all: number): string {
  const failed = shown.filter(({ kind }) => kind === 'failed').length;
  const disagreeing = shown.filter((row) => {
    if (row.kind === 'failed') return false;
    const { agreeing, of } = agreement(row.prediction);
    return agreeing < of;
  }).length;
  return [
    shown.length === all ? images(all) : `${shown.length} of ${images(all)}`,
    ...(disagreeing > 0 ? [`crops disagree in ${disagreeing}`] : []),
    ...(failed > 0 ? [`${failed} not classified`] : []),
  ].join(' · ');
}

/** Takes images dropped from the editor's explorer. */
function acceptDrops(target: HTMLElement, take: (uris: string[]) => void): void {
  const editorList = 'application/vnd.code.uri-list';
  target.addEventListener('dragover', (event) => {
    event.preventDefault();
    target.classList.add('dropping');
  });
  target.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) target.classList.remove('dropping');
  });
  target.addEventListener('drop', (event) => {
    event.preventDefault();
    target.classList.remove('dropping');
    const list = event.dataTransfer?.getData(editorList) ?? '';
    const uris = droppedUris(list === '' ? (event.dataTransfer?.getData('text/uri-list') ?? '') : list);
    if (uris.length > 0) take(uris);
  });
}
