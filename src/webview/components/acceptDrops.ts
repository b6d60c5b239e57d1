import { droppedUris } from './droppedUris.ts';

const editorList = 'application/vnd.code.uri-list';

/**
 * Takes images that are dropped: from the editor's explorer by their addresses, and from elsewhere, where `takeFiles` is
 * given, as files.
 */
export function acceptDrops(
  target: HTMLElement,
  take: (uris: string[]) => void,
  takeFiles?: (files: readonly File[]) => void,
): void {
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
    const files = [...(event.dataTransfer?.files ?? [])];
    if (list === '' && takeFiles && files.length > 0) {
      takeFiles(files);
      return;
    }
    const uris = droppedUris(list === '' ? (event.dataTransfer?.getData('text/uri-list') ?? '') : list);
    if (uris.length > 0) take(uris);
  });
}
