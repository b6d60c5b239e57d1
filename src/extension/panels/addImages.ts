import { constants, copyFile, open, stat } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import * as l10n from '@vscode/l10n';
import { codeOf, userError } from '../../protocol/errors.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import { diskError } from '../../runs/diskError.ts';

/** Most names that are tried for an image. */
const mostNames = 100_000;

/**
 * Copies images into a folder, under other names where theirs are taken; those that lie in it already stay. Returns where
 * they lie then. Throws a user error for what is no image, and where the disk refuses.
 */
export async function addImages(folder: string, images: readonly string[]): Promise<string[]> {
  const added: string[] = [];
  for (const image of images) {
    const way = relative(folder, image);
    if (!way.startsWith(`..${sep}`) && way !== '..' && join(folder, way) === image) {
      added.push(image);
      continue;
    }
    await requireImage(image);
    const copy = (path: string) => copyFile(image, path, constants.COPYFILE_EXCL);
    added.push(await underFreeName(folder, basename(image), copy));
  }
  return added;
}

/** Writes an image that came as base64. Throws as `addImages` does. */
export function addPicture(folder: string, name: string, content: string): Promise<string> {
  const plain = basename(name.replaceAll('\\', '/'));
  if (!isImageFile(plain)) throw userError(l10n.t('{0} is not an image.', plain));
  const bytes = Buffer.from(content, 'base64');
  return underFreeName(folder, plain, async (path) => {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  });
}

async function requireImage(image: string): Promise<void> {
  const status = await stat(image).catch((error: unknown) => {
    throw diskError(error, image);
  });
  if (!status.isFile() || !isImageFile(image)) throw userError(l10n.t('{0} is not an image.', image));
}

async function underFreeName(folder: string, name: string, make: (path: string) => Promise<void>): Promise<string> {
  const ending = extname(name);
  const stem = name.slice(0, name.length - ending.length);
  for (let number = 1; number <= mostNames; number++) {
    const path = join(folder, number === 1 ? name : `${stem} (${number})${ending}`);
    try {
      await make(path);
      return path;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw diskError(error, path);
    }
  }
  throw userError(l10n.t('{0} has too many images named {1}.', folder, name));
}
