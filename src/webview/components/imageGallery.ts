import * as l10n from '@vscode/l10n';
import './imageGallery.css';
import { fileName } from '../../charts/format.ts';
import { element } from './element.ts';
import { menuContext } from './menuContext.ts';
import { moreButton } from './moreButton.ts';
import type { Pictures } from './pictures.ts';

/** An image of a gallery. */
export type GalleryImage = {
  /** Path of its file. */
  image: string;
  /** What was predicted, each prediction with whether it is right. */
  predictions: readonly { text: string; right: boolean }[];
  /** What else there is to say. */
  hint?: string;
};

export type GalleryOptions = {
  images: readonly GalleryImage[];
  pictures: Pictures;
  /** How many to show at first; the rest comes with a button. */
  limit: number;
  onOpen: (image: string) => void;
  onReveal: (image: string) => void;
};

/** Images with what was predicted; each opens, or is revealed in the explorer. */
export function imageGallery(options: GalleryOptions): HTMLElement {
  const { images, limit } = options;
  const cards = (from: number, end: number) => images.slice(from, end).map((each) => card(each, options));
  const list = element('ul', { class: 'results' }, cards(0, limit));
  return element('div', {}, [list, moreButton(images.length, limit, (from, end) => list.append(...cards(from, end)))]);
}

function card({ image, predictions, hint }: GalleryImage, { pictures, onOpen, onReveal }: GalleryOptions): HTMLElement {
  const file = fileName(image);
  const open = { type: 'button', class: 'picture-button', title: l10n.t('Open {0}', image), onclick: () => onOpen(image) }; // prettier-ignore
  const reveal = { type: 'button', class: 'link', title: l10n.t('Reveal {0} in the explorer view', image), onclick: () => onReveal(image) }; // prettier-ignore
  return element('li', { class: 'card', ...menuContext('image', { image }) }, [
    element('button', open, [pictures.image(image, file)]),
    ...predictions.map(({ text, right }) => element('p', { class: 'predicted' }, [`${right ? '✓' : '✗'} ${text}`])),
    hint === undefined ? undefined : element('p', { class: 'hint' }, [hint]),
    element('p', { class: 'file' }, [element('button', reveal, [file])]),
  ]);
}
