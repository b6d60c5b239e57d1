import type { Dirent } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { isImageFile } from '../../protocol/imageFiles.ts';
import { ignoreFile } from '../../protocol/ignoreList.ts';
import { limitedTo } from '../../protocol/limitedTo.ts';
import { isPassedOver } from '../../protocol/passedOver.ts';
import { type IsPutAside, readListIn, readPutAside } from '../../runs/putAside.ts';
import { listFolder } from './listFolder.ts';

/** Where the images of a folder go, and those of the folders inside it. */
export interface ImageCollector {
  readonly images: string[];
  readonly below: (folder: string) => ImageCollector;
}

/** What a walk passed and did not take, as absolute paths. */
export interface LeftOut {
  /** Visible files that are no images by their names. */
  readonly notImages: string[];
  readonly hiddenImages: string[];
  /** Images and folders that an ignore list names. */
  readonly putAside: string[];
  /** Links to images or folders that have been counted where they lie, or to a folder that holds the link. */
  readonly repeats: string[];
  readonly brokenLinks: string[];
  /** Neither files nor folders. */
  readonly devices: string[];
  /** Not UTF-8, with symbols for what cannot be shown. */
  readonly unnameable: string[];
}

/** Folders that are listed at the same time. */
const concurrency = 16;

interface Link {
  readonly path: string;
  /** The folder that the link lies in, without links. */
  readonly realFolder: string;
  readonly into: ImageCollector;
  /** By the lists of the folders that it lies in. */
  readonly isPutAside: IsPutAside;
}

/**
 * Collects the images below a folder, by their names; no file is opened. Links are followed, each image is taken once:
 * where it lies, or, from elsewhere, by the first of its links in the order of `compareLinks`, paths without it. Hidden
 * and system files are passed over, and so is what an ignore list names, in the folder itself, around it or inside it.
 * Throws a user error for a folder or a list that cannot be read.
 */
export async function walkImages(
  folder: string,
  collector: ImageCollector,
  compareLinks: (a: string, b: string) => number = (a, b) => (a < b ? -1 : 1),
): Promise<LeftOut> {
  const left: LeftOut = {
    notImages: [],
    hiddenImages: [],
    putAside: [],
    repeats: [],
    brokenLinks: [],
    devices: [],
    unnameable: [],
  };
  const isPutAsideHere = await readPutAside(folder);
  const atOnce = limitedTo(concurrency);
  const visited = new Set<string>();
  const folderLinks: Link[] = [];
  const fileLinks: Link[] = [];

  const takeFile = (path: string, name: string, into: ImageCollector) => {
    if (isImageFile(name)) into.images.push(path);
    else left.notImages.push(path);
  };
  const takeLink = async (link: Link, name: string) => {
    const target = await stat(link.path).catch(() => undefined);
    if (target?.isDirectory()) folderLinks.push({ ...link, into: link.into.below(name) });
    else if (target?.isFile() && isImageFile(name)) fileLinks.push(link);
    else if (target?.isFile()) left.notImages.push(link.path);
    else (target ? left.devices : left.brokenLinks).push(link.path);
  };
  const visit = async (
    path: string,
    realFolder: string,
    into: ImageCollector,
    isOutside: IsPutAside,
  ): Promise<void> => {
    if (visited.has(realFolder)) {
      left.repeats.push(path);
      return;
    }
    visited.add(realFolder);
    const { entries, unnameable } = await atOnce(() => listFolder(path));
    for (const name of unnameable) left.unnameable.push(join(path, name));
    const isPutAside = path === folder ? isOutside : await withListIn(path, entries, isOutside);
    const inside: Promise<void>[] = [];
    for (const entry of entries) {
      const { name } = entry;
      const own = join(path, name);
      if (isPassedOver(name)) {
        // What begins with ._ is a Mac's note on the file of that name.
        if (isImageFile(name) && !name.startsWith('._')) left.hiddenImages.push(own);
      } else if (isPutAside(own)) left.putAside.push(own);
      else if (entry.isFile()) takeFile(own, name, into);
      else if (entry.isDirectory()) inside.push(visit(own, join(realFolder, name), into.below(name), isPutAside));
      else if (entry.isSymbolicLink()) inside.push(takeLink({ path: own, realFolder, into, isPutAside }, name));
      else left.devices.push(own);
    }
    await Promise.all(inside);
  };
  const followFolder = async ({ path, realFolder, into, isPutAside }: Link) => {
    const real = await realpath(path);
    if (isWithin(realFolder, real)) left.repeats.push(path);
    else await visit(path, real, into, isPutAside);
  };

  await visit(folder, await realpath(folder).catch(() => resolve(folder)), collector, isPutAsideHere);
  while (folderLinks.length > 0) {
    const links = folderLinks.splice(0).sort((a, b) => compareLinks(a.path, b.path));
    // One after the other: which of two links to one folder comes first must not depend on the disk.
    for (const link of links) await followFolder(link);
  }
  const linked = new Set<string>();
  fileLinks.sort((a, b) => compareLinks(a.path, b.path));
  const targets = await Promise.all(fileLinks.map(({ path }) => realpath(path)));
  for (const [at, { path, into }] of fileLinks.entries()) {
    const real = targets[at] ?? path;
    const counted = visited.has(dirname(real)) && isVisibleImage(real);
    if (counted || linked.has(real)) left.repeats.push(path);
    else into.images.push(path);
    linked.add(real);
  }
  return left;
}

/** What is put aside of a folder by the lists around it and by its own, if it has one. */
async function withListIn(path: string, entries: readonly Dirent[], around: IsPutAside): Promise<IsPutAside> {
  if (!entries.some(({ name }) => name === ignoreFile)) return around;
  const own = await readListIn(path);
  return (entry) => around(entry) || own(entry);
}

function isVisibleImage(path: string): boolean {
  const name = path.slice(path.lastIndexOf(sep) + 1);
  return isImageFile(name) && !isPassedOver(name);
}

/** Whether `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
