import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { images, percent } from '../../charts/format.ts';
import type { Cell } from './confusionGrid.ts';
import type { ClassNames, Confusion } from './confusions.ts';

/** The pairs of classes that are confused most; each opens its images. */
export function confusionList(
  confusions: readonly Confusion[],
  name: ClassNames,
  selected: Cell | undefined,
  onOpen: (cell: Cell) => void,
): HTMLElement {
  if (confusions.length === 0)
    return element('p', { class: 'hint' }, [l10n.t('None: every image is predicted right.')]);
  return element(
    'ol',
    { class: 'confusions' },
    confusions.map((confusion) => {
      const chosen = selected?.actual === confusion.actual && selected.predicted === confusion.predicted;
      return element('li', {}, [
        element('button', { type: 'button', class: 'link', 'aria-pressed': chosen, onclick: () => onOpen(confusion) }, [
          `${name(confusion.actual)} → ${name(confusion.predicted)}`,
        ]),
        element('span', { class: 'hint' }, [
          ' ',
          l10n.t('{0}, {1} of its class', images(confusion.count), percent(confusion.share)),
        ]),
      ]);
    }),
  );
}
