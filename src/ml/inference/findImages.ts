import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';

/**
 * The image files that `paths` name: files as they are, whatever their extension, and folders walked to their depth for
 * files with an image's extension, in the order of their names, hidden ones left out. Throws a user error for a path
 * that does not exist and where no image is found at all.
 */
export async function findImages(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const kind = await stat(path).catch((error: unknown) => {
      throw userError(`${path} cannot be read; name an image or a folder of images.`, error);
    });
    if (kind.isDirectory()) await walk(path, found);
    else found.push(path);
  }
  if (found.length === 0) {
    throw userError(
      `There is no image in ${paths.join(', ')}; name a folder that holds JPEG, PNG, WebP, AVIF, GIF or TIFF files.`,
    );
  }
  return found;
}

async function walk(folder: string, found: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(path, found);
    else if (isImageFile(entry.name)) found.push(path);
  }
}
