import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { button } from '../components/toolkit.ts';
import { droppedUris } from './droppedUris.ts';

const editorList = 'application/vnd.code.uri-list';

/** What the page shows while there is no image. */
export function dropZone(onChoose: () => void): HTMLElement {
  return element('div', { class: 'empty drop-zone' }, [
    element('p', {}, [l10n.t('Drop images or folders here from the explorer while you hold Shift.')]),
    button({ label: l10n.t('Choose images…'), primary: true, onClick: onChoose }),
  ]);
}

/** Takes images dropped from the editor's explorer. */
export function acceptDrops(target: HTMLElement, take: (uris: string[]) => void): void {
  target.addEventListener('dragover', (event) => {
    event.preventDefault();
    target.classList.add('dropping');
  });
  target.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) target.classList.remove('dropping');
  });
  target.addEventListener('drop', (event) => {
    event.preventDefault();
    target.classList.remove('dropping');
    const list = event.dataTransfer?.getData(editorList) ?? '';
    const uris = droppedUris(list === '' ? (event.dataTransfer?.getData('text/uri-list') ?? '') : list);
    if (uris.length > 0) take(uris);
  });
}
