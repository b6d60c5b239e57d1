import { element } from '../components/element.ts';
import { fileName, percent } from '../components/format.ts';
import { bar } from '../components/probabilityBars.ts';
import { agreement, type PredictionRow } from './predictionRows.ts';

/** A row of the list: thumbnail, file, first class, its probability, and how many crops agree. */
export function predictionListRow(row: PredictionRow): HTMLElement {
  const name = fileName(row.image);
  if (row.kind === 'failed') {
    return element('div', { class: 'row failed', title: `${row.image}\n${row.error}` }, [
      element('span', { class: 'thumb', 'aria-hidden': 'true' }, ['✖']),
      element('span', { class: 'row-text' }, [
        element('span', { class: 'row-class' }, [name]),
        element('span', { class: 'row-name' }, [row.error]),
      ]),
    ]);
  }
  const { prediction, thumbnail } = row;
  const first = prediction.mean[0];
  return element('div', { class: 'row', title: row.image }, [
    element('img', { class: 'thumb', src: thumbnail, alt: '', draggable: 'false' }),
    element('span', { class: 'row-text' }, [
      element('span', { class: 'row-class' }, [first?.name ?? 'no class']),
      element('span', { class: 'row-name' }, [name]),
    ]),
    element('span', { class: 'row-figures' }, [
      element('span', { class: 'row-probability' }, [percent(first?.probability ?? 0)]),
      bar(first?.probability ?? 0),
      agreementDots(prediction),
    ]),
  ]);
}

function agreementDots(prediction: Parameters<typeof agreement>[0]): HTMLElement | undefined {
  const { agreeing, of } = agreement(prediction);
  if (of < 2) return undefined;
  const label = `${agreeing} of ${of} crops agree`;
  const dots = Array.from({ length: of }, (_, index) =>
    element('span', { class: index < agreeing ? 'dot filled' : 'dot' }),
  );
  return element('span', { class: 'dots', role: 'img', 'aria-label': label, title: label }, dots);
}
