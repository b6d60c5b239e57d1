import type { Dirent } from 'node:fs';
import { opendir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { splitNames, type SplitName } from '../../protocol/dataReport.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import { ignoreFile } from '../../protocol/ignoreList.ts';
import { isPassedOver } from '../../protocol/passedOver.ts';
import { splitOfFolder } from '../../protocol/splitFolders.ts';
import { type FileLimit, readBoundedText } from '../../runs/boundedFile.ts';
import { type IsPutAside, readListIn, readPutAside } from '../../runs/putAside.ts';

/** A folder inside a data set with the images below it. */
export interface CountedFolder {
  readonly path: string;
  readonly name: string;
  readonly images: number;
}

/** How a data folder is laid out: `train/<class>` and so on, or `<class>` alone, which training then splits. */
export interface DataLayout {
  /** Split folders in the order in which they are used; empty where the folder is not split. */
  readonly splits: readonly string[];
}

const namesLimit: FileLimit = { what: 'a file of class names', bytes: 16 * 1024 * 1024 };

function isShown(name: string): boolean {
  return !isPassedOver(name) && isImageFile(name);
}

/** Looks how a data folder is laid out; undefined where it is not there. */
export async function dataLayout(folder: string): Promise<DataLayout | undefined> {
  const folders = await subfolders(folder);
  const named = (split: SplitName) => folders?.filter((name) => splitOfFolder(name) === split) ?? [];
  return folders && { splits: splitNames.flatMap(named) };
}

/** Orders names as people do: `2` before `10`. Made once, since making one takes longer than a comparison. */
const naturalOrder = new Intl.Collator('en', { numeric: true }).compare;

/** The class folders of a split, or of an unsplit data folder, in the order of their names, with their images counted. */
export async function listClasses(folder: string): Promise<readonly CountedFolder[]> {
  const names = (await subfolders(folder)) ?? [];
  return Promise.all(
    names.sort(naturalOrder).map(async (name) => {
      const path = join(folder, name);
      return { path, name, images: (await imageEntries(path)).length };
    }),
  );
}

/** The images of a class, at any depth, as absolute paths in the order of their names. */
export async function listImages(folder: string): Promise<readonly string[]> {
  const entries = await imageEntries(folder);
  return entries.map((entry) => join(entry.parentPath, entry.name)).sort(naturalOrder);
}

/** Files and folders of a class that are looked through: what lies beyond belongs to no data set that can be trained on here. */
const mostEntries = 200_000;

async function imageEntries(folder: string): Promise<Dirent[]> {
  const found: Dirent[] = [];
  const lists: IsPutAside[] = [];
  let seen = 0;
  try {
    lists.push(await readPutAside(folder));
    for await (const entry of await opendir(folder, { recursive: true })) {
      if (entry.isFile() && isShown(entry.name)) found.push(entry);
      if (entry.name === ignoreFile && entry.parentPath !== folder) lists.push(await readListIn(entry.parentPath));
      if (++seen === mostEntries) break;
    }
  } catch {
    // A folder that goes away or may not be read has no images to show.
  }
  const isLeftOut = (path: string): boolean => path.length >= folder.length && (lists.some((has) => has(path)) || isLeftOut(dirname(path))); // prettier-ignore
  return found.filter((entry) => !isLeftOut(join(entry.parentPath, entry.name)));
}

/** Display names by class folder, from `cat_to_name.json` in the data folder or beside it; empty where there is none. */
export async function readDisplayNames(data: string): Promise<ReadonlyMap<string, string>> {
  for (const parent of [data, dirname(data)]) {
    const text = await readBoundedText(join(parent, 'cat_to_name.json'), namesLimit).catch(() => undefined);
    if (text !== undefined) return parseNames(text);
  }
  return new Map();
}

function parseNames(text: string): ReadonlyMap<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(entries.flatMap(([folder, name]) => (typeof name === 'string' ? [[folder, name] as const] : [])));
  } catch {
    return new Map();
  }
}

/** Whether a folder has a `train` folder with classes in it. */
async function hasTrainFolder(folder: string): Promise<boolean> {
  const train = (await subfolders(folder))?.find((name) => splitOfFolder(name) === 'train');
  return train !== undefined && ((await subfolders(join(folder, train))) ?? []).length > 0;
}

/**
 * Whether a folder looks like images to train on: it has a `train` folder, or at least two folders with images directly
 * inside them.
 */
export async function looksLikeData(folder: string): Promise<boolean> {
  if (await hasTrainFolder(folder)) return true;
  const folders = (await subfolders(folder)) ?? [];
  let withImages = 0;
  for (const name of folders.slice(0, 20)) {
    const files = await readdir(join(folder, name)).catch((): string[] => []);
    if (files.some(isShown)) withImages++;
    if (withImages === 2) return true;
  }
  return false;
}

/** Folders that look like images to train on: `folder` itself, or those below it down to a depth. */
export async function findDataSets(folder: string, depth: number): Promise<readonly string[]> {
  if (await hasTrainFolder(folder)) return [folder];
  const entries = depth === 0 ? [] : await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !/^(\.|node_modules$|runs$)/.test(entry.name));
  const found: string[] = [];
  for (const { name } of folders.slice(0, 50)) found.push(...(await findDataSets(join(folder, name), depth - 1)));
  // A folder around data sets may have some images in it besides.
  return found.length === 0 && (await looksLikeData(folder)) ? [folder] : found;
}

async function subfolders(folder: string): Promise<string[] | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  return entries
    ?.filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !isPassedOver(entry.name))
    .filter(({ name }) => name !== 'node_modules')
    .map(({ name }) => name);
}
