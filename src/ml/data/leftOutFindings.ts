import type { Finding } from '../../protocol/dataReport.ts';
import { ignoreFile } from '../../protocol/ignoreList.ts';
import { someOf } from '../../protocol/someOf.ts';
import type { LeftOut } from './walkImages.ts';
import { pathIn } from './pathIn.ts';

/** What is said of one thing that is left out, of several, and what to do about them. */
const sentences: Readonly<
  Record<Exclude<keyof LeftOut, 'notImages'>, readonly [one: string, many: string, todo: string]>
> = {
  unnameable: ['name is not UTF-8', 'names are not UTF-8', 'Rename the files or folders that are to be used.'],
  repeats: [
    'link leads to what is already counted, or to a folder that contains it,',
    'links lead to what is already counted, or to folders that contain them,',
    'Remove those you do not need: each image is used once.',
  ],
  brokenLinks: ['link leads nowhere', 'links lead nowhere', 'Fix or remove what is broken.'],
  devices: [
    'entry is neither a file nor a folder',
    'entries are neither files nor folders',
    'Remove what is in the way.',
  ],
  hiddenImages: [
    'image is hidden by a leading dot',
    'images are hidden by a leading dot',
    'Rename what is to be used.',
  ],
  putAside: [
    `image or folder is put aside by ${ignoreFile}`,
    `images or folders are put aside by ${ignoreFile}`,
    'Remove what is to be used from that file.',
  ],
};

/** A line for each kind of thing that a walk below `root` left out, with how many; none for files that are no images. */
export function leftOutFindings(root: string, left: LeftOut): Finding[] {
  const kinds = ['unnameable', 'repeats', 'brokenLinks', 'devices', 'hiddenImages', 'putAside'] as const;
  return kinds.flatMap((kind): Finding[] => {
    const paths = left[kind].map((path) => pathIn(root, path)).sort();
    if (paths.length === 0) return [];
    const [one, many, todo] = sentences[kind];
    const which = paths.length === 1 ? `1 ${one} and is` : `${paths.length} ${many} and are`;
    const what = `${which} left out (${someOf(paths)}).`;
    return [{ level: kind === 'hiddenImages' || kind === 'putAside' ? 'info' : 'warning', what, todo }];
  });
}
