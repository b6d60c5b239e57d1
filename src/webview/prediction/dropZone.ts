import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { button } from '../components/toolkit.ts';

/** What the page shows while there is no image. */
export function dropZone(onChoose: () => void): HTMLElement {
  return element('div', { class: 'empty drop-zone' }, [
    element('p', {}, [l10n.t('Drop images or folders here from the explorer while you hold Shift.')]),
    button({ label: l10n.t('Choose images…'), primary: true, onClick: onChoose }),
  ]);
}
