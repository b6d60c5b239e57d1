import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { fileName, percent } from '../../charts/format.ts';
import { menuContext } from '../components/menuContext.ts';
import { moreButton } from '../components/moreButton.ts';
import type { Pictures } from '../components/pictures.ts';
import type { ClassNames, ImageResult } from './confusions.ts';

export type ImageResultsOptions = {
  results: readonly ImageResult[];
  name: ClassNames;
  pictures: Pictures;
  /** How many to show at first; the rest comes with a button. */
  limit: number;
  onOpen: (image: string) => void;
  onReveal: (image: string) => void;
};

/** Images with what their folder says and what was predicted; each opens, or is revealed in the explorer. */
export function imageResults(options: ImageResultsOptions): HTMLElement {
  const { results, limit } = options;
  const cards = (from: number, end: number) => results.slice(from, end).map((result) => card(result, options));
  const list = element('ul', { class: 'results' }, cards(0, limit));
  return element('div', {}, [list, moreButton(results.length, limit, (from, end) => list.append(...cards(from, end)))]);
}

function card(result: ImageResult, { name, pictures, onOpen, onReveal }: ImageResultsOptions): HTMLElement {
  const { image, actual, predicted, probability, actualProbability } = result;
  const file = fileName(image);
  const right = actual === predicted;
  return element('li', { class: 'card', ...menuContext('image', { image }) }, [
    element(
      'button',
      { type: 'button', class: 'picture-button', title: l10n.t('Open {0}', image), onclick: () => onOpen(image) },
      [pictures.image(image, file)],
    ),
    element('p', { class: 'predicted' }, [`${right ? '✓' : '✗'} ${name(predicted)} ${percent(probability, 0)}`]),
    right
      ? undefined
      : element('p', { class: 'hint' }, [l10n.t('Folder: {0} {1}', name(actual), percent(actualProbability, 0))]),
    element('p', { class: 'file' }, [
      element(
        'button',
        {
          type: 'button',
          class: 'link',
          title: l10n.t('Reveal {0} in the explorer view', image),
          onclick: () => onReveal(image),
        },
        [file],
      ),
    ]),
  ]);
}
