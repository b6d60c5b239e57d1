import * as l10n from '@vscode/l10n';
import type { PredictionPanelToHost, PredictionPanelToPage } from '../../protocol/predictionPanel.ts';
import { busyLine } from '../components/busyLine.ts';
import { element } from '../components/element.ts';
import { count } from '../../charts/format.ts';
import { button, dropdown, setDisabled } from '../components/toolkit.ts';
import { setText } from '../components/setText.ts';

type Of<Type extends PredictionPanelToPage['type']> = Extract<PredictionPanelToPage, { type: Type }>;

/** Value of the list's last entry, which asks for a classifier. */
const chooseAnother = '…another';

export type HeaderState = {
  setup: Of<'setup'> | undefined;
  progress: Of<'progress'> | undefined;
  problem: string | undefined;
  /** Numbers of images. */
  all: number;
  unclassified: number;
};

export type PredictionHeader = { elements: HTMLElement[]; draw: (state: HeaderState) => void };

/** What classifies with how many crops, how far it is, and what went wrong. */
export function predictionHeader(
  send: (message: PredictionPanelToHost) => void,
  onExport: () => void,
): PredictionHeader {
  let shown: Of<'setup'> | undefined;
  const source = dropdown(l10n.t('Classify with'), (id) => {
    send(id === chooseAnother ? { type: 'chooseSource' } : { type: 'source', id });
    drawSetup();
  });
  const crops = dropdown(l10n.t('Crops'), (value) => send({ type: 'crops', crops: value === '1' ? 1 : 5 }));
  const exporting = button({ label: 'CSV', title: l10n.t('Export one row per image as CSV'), onClick: onExport });
  const busy = busyLine(() => send({ type: 'cancel' }));
  const error = element('p', { class: 'error-text', role: 'alert' });
  const rest = element('p');
  const goOn = button({ label: l10n.t('Try again'), primary: true, onClick: () => send({ type: 'classify' }) });
  const notice = element('div', { class: 'notice' }, [error, rest, goOn]);

  const drawSetup = (): void => {
    if (shown === undefined) return;
    const offered = shown.sources.map(({ id, label, description }) => ({
      value: id,
      label: description === '' ? label : `${label} – ${description}`,
    }));
    const none = shown.source === '' ? [{ value: '', label: l10n.t('Choose a classifier') }] : [];
    source.update([...none, ...offered, { value: chooseAnother, label: l10n.t('Another…') }], shown.source);
    const counts = [
      { value: '5', label: l10n.t('Five crops') },
      { value: '1', label: l10n.t('Center crop') },
    ];
    crops.update(counts, String(shown.crops));
    crops.element.hidden = shown.wholeImages;
  };
  return {
    elements: [
      element('header', { class: 'toolbar top' }, [
        source.element,
        crops.element,
        button({ label: l10n.t('Add images…'), onClick: () => send({ type: 'chooseImages' }) }),
        exporting,
        busy.element,
      ]),
      notice,
    ],
    draw: ({ setup, progress, problem, all, unclassified }) => {
      if (setup !== shown) {
        shown = setup;
        drawSetup();
      }
      setDisabled(exporting, all === 0);
      const working = progress?.busy === true;
      busy.draw(progress);
      const left = working ? 0 : unclassified;
      notice.hidden = problem === undefined && left === 0;
      notice.classList.toggle('error', problem !== undefined);
      error.hidden = problem === undefined;
      setText(error, problem ?? '');
      rest.hidden = left === 0;
      setText(rest, restLine(left, setup?.source === ''));
      goOn.hidden = left === 0 || setup?.source === '';
      setText(goOn, problem === undefined ? l10n.t('Classify') : l10n.t('Try again'));
    },
  };
}

function restLine(left: number, withoutSource: boolean): string {
  const are = left === 1 ? l10n.t('1 image is not classified.') : l10n.t('{0} images are not classified.', count(left));
  return withoutSource ? `${are} ${l10n.t('Choose a classifier.')}` : are;
}
