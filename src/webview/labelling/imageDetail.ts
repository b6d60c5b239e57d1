import * as l10n from '@vscode/l10n';
import type { NextImage } from '../../protocol/labelling.ts';
import { element } from '../components/element.ts';
import { fileName, percent } from '../../charts/format.ts';
import { keepFocus } from '../components/keepFocus.ts';
import type { Pictures } from '../components/pictures.ts';
import { button } from '../components/toolkit.ts';

export type ImageDetail = {
  element: HTMLElement;
  draw: (item: NextImage | undefined, name: (folder: string) => string) => void;
};

/** One image large, with its likely classes, each a digit away. */
export function imageDetail(
  pictures: Pictures,
  field: HTMLElement,
  on: { label: (folder: string) => void; skip: () => void; open: () => void },
): ImageDetail {
  const shown = element('div');
  const place = element('section', { class: 'item', 'aria-label': l10n.t('Selected image') }, [shown, field]);
  let drawn = '';
  const parts = ({ image, likely }: NextImage, name: (folder: string) => string): HTMLElement[] => [
    element('div', { class: 'pair' }, [
      element('figure', {}, [pictures.image(image, fileName(image)), element('figcaption', {}, [fileName(image)])]),
    ]),
    element(
      'div',
      { class: 'toolbar choices' },
      likely.map(({ folder, probability }, at) =>
        button({
          label: `${name(folder)}: ${percent(probability, 0)} (${at === 0 ? '⏎' : String(at + 1)})`,
          primary: at === 0,
          onClick: () => on.label(folder),
        }),
      ),
    ),
    element('div', { class: 'toolbar' }, [
      button({ label: l10n.t('Skip (Space)'), title: l10n.t('It comes again after all others'), onClick: on.skip }),
      button({ label: l10n.t('Open'), onClick: on.open }),
    ]),
  ];
  return {
    element: place,
    draw: (item, name) => {
      place.hidden = item === undefined;
      const next = JSON.stringify(item);
      if (drawn === next) return;
      drawn = next;
      keepFocus(shown, () => shown.replaceChildren(...(item ? parts(item, name) : [])));
    },
  };
}
