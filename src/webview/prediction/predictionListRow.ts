import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { fileName, percent } from '../../charts/format.ts';
import { bar } from '../components/probabilityBars.ts';
import { agreement, type PredictionRow } from './predictionRows.ts';

/** A row of the list: thumbnail, file, first class, its probability, and how many crops agree. */
export function predictionListRow(row: PredictionRow): HTMLElement {
  if (row.kind === 'failed') return plainRow(row.image, 'failed', '✖', row.error);
  if (row.kind === 'unclassified') return plainRow(row.image, 'unclassified', '…', l10n.t('Not classified'));
  const { prediction, thumbnail } = row;
  const first = prediction.mean[0];
  return element('div', { class: 'row', title: row.image }, [
    element('img', { class: 'thumb', src: thumbnail, alt: '', draggable: 'false' }),
    element('span', { class: 'row-text' }, [
      element('span', { class: 'row-class' }, [first?.name ?? l10n.t('no class')]),
      element('span', { class: 'row-name' }, [fileName(row.image)]),
    ]),
    element('span', { class: 'row-figures' }, [
      element('span', { class: 'row-probability' }, [percent(first?.probability ?? 0)]),
      bar(first?.probability ?? 0),
      agreementDots(prediction),
    ]),
  ]);
}

/** An image without a prediction, with the reason. */
function plainRow(image: string, kind: string, mark: string, reason: string): HTMLElement {
  return element('div', { class: `row ${kind}`, title: `${image}\n${reason}` }, [
    element('span', { class: 'thumb', 'aria-hidden': 'true' }, [mark]),
    element('span', { class: 'row-text' }, [
      element('span', { class: 'row-class' }, [fileName(image)]),
      element('span', { class: 'row-name' }, [reason]),
    ]),
  ]);
}

function agreementDots(prediction: Parameters<typeof agreement>[0]): HTMLElement | undefined {
  const { agreeing, of } = agreement(prediction);
  if (of < 2) return undefined;
  const label = l10n.t('{0} of {1} crops agree', agreeing, of);
  const dots = Array.from({ length: of }, (_, index) =>
    element('span', { class: index < agreeing ? 'dot filled' : 'dot' }),
  );
  return element('span', { class: 'dots', role: 'img', 'aria-label': label, title: label }, dots);
}
