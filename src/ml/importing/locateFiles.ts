import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import { isWithin } from '../data/walkImages.ts';

/** Files that are looked for to find the folder that they are in. */
const filesTried = 50;

/** The first of several folders that has one of the first files; the first of all where none has. `rowOf` names a row. */
export async function findBase(
  rowOf: (at: number) => string,
  places: readonly string[],
  names: readonly string[],
): Promise<string> {
  const tried = [...names.entries()].filter(([, name]) => name !== '').slice(0, filesTried);
  for (const place of places) {
    const locate = createLocator(place, rowOf);
    for (const [at, name] of tried) if ((await locate(name, at)) !== undefined) return place;
  }
  return places[0] ?? '.';
}

/**
 * Finds the file that a row names: in `base`, and where the name has no ending of an image, with the only ending that there
 * is. Undefined where it is not there. Throws a user error, with what `rowOf` says of the row, for a path out of `base`.
 */
export function createLocator(
  base: string,
  rowOf: (at: number) => string,
): (name: string, at: number) => Promise<string | undefined> {
  const listings = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>();
  const stemsIn = (folder: string) => {
    const known = listings.get(folder) ?? readStems(folder);
    listings.set(folder, known);
    return known;
  };
  return async (name, at) => {
    const path = resolve(base, name.replaceAll('\\', '/'));
    if (name.includes('\0') || !isWithin(path, base)) {
      throw userError(`${rowOf(at)} names ${name}, which is outside ${base}: name a folder that holds all files with --images.`); // prettier-ignore
    }
    if (isImageFile(basename(path))) return (await isFile(path)) ? path : undefined;
    const found = (await stemsIn(dirname(path))).get(basename(path)) ?? [];
    return found.length === 1 ? found[0] : undefined;
  };
}

async function isFile(path: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined);
  return status?.isFile() === true;
}

/** Images of a folder by their names without endings. */
async function readStems(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const stems = new Map<string, string[]>();
  for (const name of await readdir(folder).catch((): string[] => [])) {
    if (!isImageFile(name)) continue;
    const stem = basename(name, extname(name));
    stems.set(stem, [...(stems.get(stem) ?? []), join(folder, name)]);
  }
  return stems;
}
