import * as l10n from '@vscode/l10n';
import type { CleaningItem } from '../../protocol/cleaning.ts';
import { type ClassName, editText } from '../components/editText.ts';
import { element } from '../components/element.ts';
import { fileName } from '../../charts/format.ts';
import { keepFocus } from '../components/keepFocus.ts';
import type { Pictures } from '../components/pictures.ts';
import { button, setDisabled } from '../components/toolkit.ts';
import type { ItemAction } from './itemAction.ts';
import { acceptedEdit, reasonOf } from './itemTexts.ts';

export type ItemDetail = {
  element: HTMLElement;
  draw: (item: CleaningItem | undefined, name: ClassName) => void;
};

/** One image large, beside its twin if it has one, with what can be done. */
export function itemDetail(pictures: Pictures, onAction: (action: ItemAction) => void): ItemDetail {
  const place = element('section', { class: 'item', 'aria-label': l10n.t('Selected image') });
  let drawn = '';
  const draw = (item: CleaningItem | undefined, name: ClassName): void => {
    const next = JSON.stringify(item);
    if (drawn === next) return;
    drawn = next;
    keepFocus(place, () => place.replaceChildren(...(item ? parts(item, name) : [])));
  };
  const parts = (item: CleaningItem, name: ClassName): HTMLElement[] => {
    const accepted = acceptedEdit(item);
    const accept = button({
      label: accepted ? `${capital(editText(accepted, name))} (⏎)` : l10n.t('Its class is the most likely'),
      primary: true,
      onClick: () => onAction('accept'),
    });
    setDisabled(accept, !accepted);
    const shown = [{ path: item.image, text: name(item.folder) }, ...(item.twin === undefined ? [] : [{ path: item.twin, text: name(item.likely) }])]; // prettier-ignore
    return [
      element('div', { class: 'pair' }, shown.map(({ path }) => element('figure', {}, [pictures.image(path, fileName(path)), element('figcaption', {}, [path])]))), // prettier-ignore
      element('p', {}, [element('strong', {}, [name(item.folder)]), ` · ${reasonOf(item, name)}`]),
      element('div', { class: 'toolbar' }, [
        accept,
        button({ label: l10n.t('Keep (K)'), title: l10n.t('Its class is right: do not show it again'), onClick: () => onAction('keep') }), // prettier-ignore
        button({ label: l10n.t('Other class… (C)'), onClick: () => onAction('otherClass') }),
        button({ label: l10n.t('Put aside (Delete)'), title: l10n.t('Every command leaves it out'), onClick: () => onAction('putAside') }), // prettier-ignore
        button({ label: l10n.t('Open (O)'), onClick: () => onAction('open') }),
      ]),
    ];
  };
  return { element: place, draw };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
