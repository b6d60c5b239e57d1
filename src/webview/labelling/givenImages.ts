import { acceptDrops } from '../components/acceptDrops.ts';
import type { LabellingPanelToHost } from '../../protocol/labellingPanel.ts';

const endings: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/bmp': 'bmp',
  'image/avif': 'avif',
  'image/tiff': 'tiff',
};

/** Hands on images that are dropped on the page or pasted into it. */
export function acceptImages(send: (message: LabellingPanelToHost) => void): void {
  const give = (files: Iterable<File>) => {
    for (const file of files) void giveImage(send, file, file.name);
  };
  acceptDrops(
    document.body,
    (uris) => send({ type: 'dropped', uris }),
    (files) => give(files),
  );
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter(({ type }) => type.startsWith('image/'));
    if (files.length === 0) return;
    event.preventDefault();
    give(files);
  });
}

/** Hands an image on; one without a name of its own, such as one from the clipboard, is named by the time. */
export async function giveImage(
  send: (message: LabellingPanelToHost) => void,
  content: Blob,
  name = '',
): Promise<void> {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[:T]/gu, '-');
  const isNamed = name !== '' && !/^image\.\w+$/iu.test(name);
  const own = isNamed ? name : `${time}.${endings[content.type] ?? 'png'}`;
  send({ type: 'given', name: own, content: await base64Of(content) });
}

function base64Of(content: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const url = reader.result as string;
      resolve(url.slice(url.indexOf(',') + 1));
    };
    reader.onerror = () => reject(reader.error ?? new Error('the file could not be read'));
    reader.readAsDataURL(content);
  });
}
