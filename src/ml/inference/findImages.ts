import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { findingText } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import { leftOutFindings } from '../data/leftOutFindings.ts';
import { walkImages, type ImageCollector } from '../data/walkImages.ts';

/**
 * The image files that `paths` name: files as they are, whatever their extension, and folders walked to their depth for
 * files with an image's extension, in the order of their names. Links are followed and hidden files passed over, as for
 * training; `onNote` hears what was left out. Throws a user error for a path that does not exist or is neither a file nor
 * a folder, and where no image is found at all.
 */
export async function findImages(
  paths: readonly string[],
  onNote: (sentence: string) => void = () => undefined,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const kind = await stat(path).catch((error: unknown) => {
      throw userError(`${path} cannot be read; name an image or a folder of images.`, error);
    });
    if (kind.isDirectory()) for (const image of await imagesBelow(path, onNote)) found.push(image);
    else if (kind.isFile()) found.push(path);
    else throw userError(`${path} is neither a file nor a folder; name an image or a folder of images.`);
  }
  if (found.length === 0) {
    throw userError(
      `There is no image in ${paths.join(', ')}; name a folder that holds images, such as JPEG or PNG files.`,
    );
  }
  return found;
}

async function imagesBelow(folder: string, onNote: (sentence: string) => void): Promise<string[]> {
  const images: string[] = [];
  const collector: ImageCollector = { images, below: () => collector };
  const left = await walkImages(folder, collector);
  for (const finding of leftOutFindings(folder, left)) onNote(findingText(finding));
  // Folder by folder: a separator sorts before anything else.
  const key = (path: string) => path.replaceAll(sep, '\u0000');
  return images.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
