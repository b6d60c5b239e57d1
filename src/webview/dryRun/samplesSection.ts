import * as l10n from '@vscode/l10n';
import type { DryRunPanelToHost } from '../../protocol/dryRunPanel.ts';
import { mixedClasses, type Samples, type ShownSample } from '../../protocol/samples.ts';
import { element } from '../components/element.ts';
import { count, fileName } from '../../charts/format.ts';
import { setText } from '../components/setText.ts';
import { button, setDisabled } from '../components/toolkit.ts';
import type { Known } from './known.ts';

export type SamplesSection = { element: HTMLElement; draw: (known: Known) => void };

type Place = { epoch: number; batch: number };

/** The images of a batch as training sees them. */
export function samplesSection(send: (message: DryRunPanelToHost) => void): SamplesSection {
  let shown: Samples | undefined;
  const go = (place: (samples: Samples) => Place): void => {
    if (shown) send({ type: 'samples', ...place(shown) });
  };
  const before = button({ label: l10n.t('Previous batch'), onClick: () => go(({ epoch, batch }) => ({ epoch, batch: batch - 1 })) }); // prettier-ignore
  const next = button({ label: l10n.t('Next batch'), onClick: () => go(({ epoch, batch }) => ({ epoch, batch: batch + 1 })) }); // prettier-ignore
  const earlier = button({ label: l10n.t('Previous epoch'), onClick: () => go(({ epoch, batch }) => ({ epoch: epoch - 1, batch })) }); // prettier-ignore
  const later = button({ label: l10n.t('Next epoch'), onClick: () => go(({ epoch, batch }) => ({ epoch: epoch + 1, batch })) }); // prettier-ignore
  const place = element('p', { class: 'figures', role: 'status' });
  const how = element('p', { class: 'hint' });
  const notes = element('ul', { class: 'hint' });
  const gallery = element('ul', { class: 'samples', 'aria-label': l10n.t('Images of the batch') });
  const section = element('section', {}, [
    element('h2', {}, [l10n.t('Samples')]),
    place,
    how,
    element('div', { class: 'toolbar' }, [before, next, earlier, later]),
    notes,
    gallery,
  ]);
  return {
    element: section,
    draw: ({ samples: message, progress }) => {
      const samples = message?.samples;
      section.hidden = samples === undefined;
      if (samples === undefined) return;
      const { epoch, batch, batches, epochs } = samples;
      const busy = progress?.busy === true;
      setDisabled(before, busy || batch === 0);
      setDisabled(next, busy || batch + 1 >= batches);
      setDisabled(earlier, busy || epoch === 0);
      setDisabled(later, busy || epoch + 1 >= epochs);
      if (samples === shown) return;
      shown = samples;
      setText(place, placeText(samples));
      setText(how, howText(samples));
      notes.hidden = samples.notes.length === 0;
      notes.replaceChildren(...samples.notes.map((note) => element('li', {}, [note])));
      gallery.replaceChildren(...samples.images.map((image) => sampleItem(image, send)));
    },
  };
}

function placeText({ epoch, epochs, batch, batches, seed }: Samples): string {
  return l10n.t('Epoch {0} of {1}, batch {2} of {3}, seed {4}', count(epoch + 1), count(epochs), count(batch + 1), count(batches), String(seed)); // prettier-ignore
}

function howText({ mix, images, imageCount }: Samples): string {
  const same = l10n.t('These are the images that a run with these settings trains on, to the bit.');
  const mixed = { mixup: l10n.t('They are blended with their neighbors (mixup); the weights are those of the target.'), cutmix: l10n.t('Parts of their neighbors are pasted into them (CutMix); the weights are those of the target.') }; // prettier-ignore
  const first = images.length < imageCount ? l10n.t('The first {0} of {1} are shown.', count(images.length), count(imageCount)) : ''; // prettier-ignore
  return [same, mix === undefined ? '' : mixed[mix], first].filter((sentence) => sentence !== '').join(' ');
}

function sampleItem(
  { image, picture, classes, mixedWith }: ShownSample,
  send: (message: DryRunPanelToHost) => void,
): HTMLElement {
  const words = mixedClasses(classes);
  const opened = (path: string) =>
    element('button', { class: 'link', title: path, onclick: () => send({ type: 'open', image: path }) }, [fileName(path)]); // prettier-ignore
  return element('li', {}, [
    element('img', { src: picture, alt: words.join(', '), draggable: 'false' }),
    element('div', { class: 'sample-text' }, [
      ...words.map((word) => element('strong', {}, [word])),
      opened(image),
      ...(mixedWith === undefined ? [] : [opened(mixedWith)]),
    ]),
  ]);
}
