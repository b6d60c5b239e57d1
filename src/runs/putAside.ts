import { dirname, join, relative, resolve, sep } from 'node:path';
import { codeOf } from '../protocol/errors.ts';
import { ignoreFile, ignoreKey, parseIgnoreList } from '../protocol/ignoreList.ts';
import { type FileLimit, readBoundedText } from './boundedFile.ts';

/** Folders around the one that is asked about whose lists count, too: of a class's folder, its split's and the data's. */
const foldersAround = 3;

const limit: FileLimit = { what: 'a list of images that are put aside', bytes: 64 * 1024 * 1024 };

/** Whether an absolute path below the folder that was asked about is itself listed as put aside. */
export type IsPutAside = (path: string) => boolean;

/** The text of the ignore list in a folder; undefined if there is none. Throws a user error if it cannot be read. */
export async function readIgnoreFile(folder: string): Promise<string | undefined> {
  try {
    return await readBoundedText(join(folder, ignoreFile), limit);
  } catch (error) {
    // What is no folder has no list either.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * Reads what is put aside of a folder: by the list in it, and by those in the folders around it, so that a class or a split
 * that is named alone has no more images than as a part of its data. Throws a user error for a list that cannot be read.
 */
export async function readPutAside(folder: string): Promise<IsPutAside> {
  const around = await Promise.all(listFoldersAround(folder).map(readListIn));
  const own = await readListIn(folder);
  return (path) => own(path) || around.some((isPutAside) => isPutAside(path));
}

/** The folders around one whose lists count for it, the nearest first. */
export function listFoldersAround(folder: string): string[] {
  const around: string[] = [];
  for (let root = resolve(folder); around.length < foldersAround && dirname(root) !== root;) {
    root = dirname(root);
    around.push(root);
  }
  return around;
}

/** Reads what the list in one folder alone puts aside. Throws as `readPutAside` does. */
export async function readListIn(folder: string): Promise<IsPutAside> {
  const root = resolve(folder);
  const paths = parseIgnoreList((await readIgnoreFile(root)) ?? '');
  return (path) => paths.size > 0 && paths.has(ignoreKey(relative(root, path).split(sep).join('/')));
}
