import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { messageOf, userError } from '../../protocol/errors.ts';

/** What lies in a folder. */
export interface Listing {
  readonly entries: readonly Dirent[];
  /** Names that are not UTF-8, with symbols for what cannot be shown: no path can name these entries. */
  readonly unnameable: readonly string[];
}

/** Lists a folder. Throws a user error where it is not there, is a file, or may not be read. */
export async function listFolder(path: string): Promise<Listing> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    if (!entries.some(({ name }) => name.includes('\uFFFD'))) return { entries, unnameable: [] };
    // The symbol may be in a name itself: only the bytes tell.
    const raw = await readdir(path, { encoding: 'buffer' });
    const unnameable = raw.filter((name) => !Buffer.from(name.toString()).equals(name)).map(String);
    return { entries: entries.filter(({ name }) => !unnameable.includes(name)), unnameable };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw userError(`There is no folder ${path}; give the folder that holds the images.`, error);
    if (code === 'ENOTDIR') throw userError(`${path} is a file; give the folder that holds the images.`, error);
    throw userError(`The folder ${path} cannot be read (${messageOf(error)}); check its permissions.`, error);
  }
}
