import { type Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { cancelled, codeOf, messageOf, userError } from '../protocol/errors.ts';
import { isImageFile } from '../protocol/imageFiles.ts';
import { checkpointPath } from '../runs/checkpointPath.ts';
import { hasRecord, runOf, runOfCheckpoint } from '../runs/list.ts';

/** The folders that tools may read and write. All are absolute. */
export interface Workplace {
  /** The workspace, without links: paths are relative to these. */
  readonly roots: readonly string[];
  /** Folders in which runs lie, which may be there later; new ones go into the first. */
  readonly runsFolders: readonly string[];
  /** What paths have to lie in, without links: the workspace, and folders of runs that the user has chosen elsewhere. */
  readonly allowed: readonly string[];
}

/** Opens the folders of a workspace. Throws a user error for a root that is not there, and for a folder of runs in it that a link leads out of. */
export async function openWorkplace(roots: readonly string[], runsFolders: readonly string[]): Promise<Workplace> {
  const real = await Promise.all(
    roots.map(async (root) => {
      const path = await realpath(root).catch((error: unknown) => {
        throw userError(`The folder ${root} cannot be opened (${messageOf(error)}): name one that is there.`, error);
      });
      if ((await stat(path)).isDirectory()) return path;
      throw userError(`${root} is not a folder: name the folder that the tools may work in.`);
    }),
  );
  const runs = runsFolders.map((folder) => resolve(folder));
  const isOwn = (folder: string) => [...roots, ...real].some((root) => isWithin(resolve(root), folder));
  const elsewhere = await Promise.all(runs.filter((folder) => !isOwn(folder)).map(realPlace));
  const workplace = { roots: real, runsFolders: runs, allowed: [...real, ...elsewhere] };
  for (const folder of runs.filter(isOwn)) await pathInside(workplace, folder);
  return workplace;
}

/**
 * The absolute path that a tool was given, relative to the workspace if it is relative. Throws a user error for one that
 * lies outside, by `..` or by a link, whether or not anything is there.
 */
export async function pathInside({ roots, allowed }: Workplace, given: string): Promise<string> {
  const places = isAbsolute(given) ? [resolve(given)] : roots.map((root) => resolve(root, given));
  const [first] = places;
  if (first === undefined || given.includes('\0')) throw outside(given, roots);
  let place = first;
  for (const each of places.toReversed()) if (await isThere(each)) place = each;
  const real = await realPlace(place).catch((error: unknown) => {
    throw userError(`${given} cannot be read (${codeOf(error) ?? 'unknown'}): name another path.`, error);
  });
  if (allowed.some((root) => isWithin(root, real))) return place;
  throw outside(given, roots);
}

/** A file or folder that is there. Throws as `pathInside` does, and a user error if nothing is there. */
export async function presentPath(workplace: Workplace, given: string): Promise<string> {
  const path = await pathInside(workplace, given);
  if (await isThere(path)) return path;
  throw userError(
    `There is nothing at ${given}: name a path in the workspace, relative to ${workplace.roots.join(' or ')}.`,
  );
}

/**
 * A folder of images whose every link stays inside. Throws as `presentPath` does, and a user error that names a link out
 * of the workspace.
 */
export async function dataFolder(workplace: Workplace, given: string, signal: AbortSignal): Promise<string> {
  const path = await presentPath(workplace, given);
  await filesBelow(workplace, path, signal);
  // Its class names may lie beside it.
  const names = join(dirname(path), 'cat_to_name.json');
  const found = await lstat(names).catch(() => undefined);
  if (found?.isSymbolicLink() === true) await pathInside(workplace, names);
  return path;
}

/** The images that a path means: itself, or those below a folder, in the order of their paths. Throws as `dataFolder` does. */
export async function imagesAt(workplace: Workplace, given: string, signal: AbortSignal): Promise<string[]> {
  const path = await presentPath(workplace, given);
  if ((await stat(path)).isFile()) return [path];
  const files = await filesBelow(workplace, path, signal);
  return files.filter((file) => isImageFile(basename(file))).sort();
}

/** The visible files below a folder. */
async function filesBelow(workplace: Workplace, folder: string, signal?: AbortSignal): Promise<string[]> {
  const files: string[] = [];
  const visited = new Set<string>();
  const walk = async (place: string): Promise<void> => {
    if (signal?.aborted === true) throw cancelled();
    const unreadable = (error: unknown): never => {
      throw userError(`${pathShown(workplace, place)} cannot be read (${codeOf(error) ?? 'unknown'}): check its permissions.`, error); // prettier-ignore
    };
    const real = await realpath(place).catch(unreadable);
    if (visited.has(real)) return;
    visited.add(real);
    for (const entry of await readdir(place, { withFileTypes: true }).catch(unreadable)) {
      if (entry.name.startsWith('.')) continue;
      const path = join(place, entry.name);
      const kind = entry.isSymbolicLink() ? await linkedKind(workplace, path) : entry;
      if (kind?.isDirectory() === true) await walk(path);
      else if (kind?.isFile() === true) files.push(path);
    }
  };
  if (!(await stat(folder)).isDirectory()) throw userError(`${folder} is a file: name a folder of images.`);
  await walk(folder);
  return files;
}

/** What lies at the end of a link; undefined if nothing does. */
async function linkedKind(
  workplace: Workplace,
  link: string,
): Promise<Pick<Dirent, 'isFile' | 'isDirectory'> | undefined> {
  await pathInside(workplace, link);
  return stat(link).catch(() => undefined);
}

/** The folder of a run by its name or path. Throws a user error if there is none inside, also where a link in it leads out. */
export async function runFolder(workplace: Workplace, given: string): Promise<string> {
  if (basename(given) === given && given !== '.' && given !== '..') {
    for (const parent of workplace.runsFolders) {
      const folder = join(parent, given);
      if (await hasRecord(folder)) return ownRun(workplace, folder);
    }
  }
  const folder = await runOf(await pathInside(workplace, given));
  if (folder !== undefined) return ownRun(workplace, folder);
  throw userError(`There is no run ${given}: list_runs lists the runs that there are.`);
}

/** The folder of a run, out of which no link in it leads: its record, curves, checkpoints and tests are read. Throws a user error that names one. */
export async function ownRun(workplace: Workplace, folder: string): Promise<string> {
  await pathInside(workplace, folder);
  await filesBelow(workplace, folder);
  return folder;
}

/** The checkpoint that the name or path of a run, or the path of a checkpoint, means. Throws a user error if there is none inside. */
export async function checkpointInside(workplace: Workplace, given: string): Promise<string> {
  const isCheckpoint = /\.(?:safetensors|onnx|pth)$/iu.test(given);
  const place = isCheckpoint ? await presentPath(workplace, given) : await runFolder(workplace, given);
  const run = await runOfCheckpoint(place);
  if (run !== undefined) await ownRun(workplace, run);
  return pathInside(workplace, checkpointPath(place));
}

/** A path as tools tell it: relative to the workspace if that is one folder, with `/`, so that it can be given back. */
export function pathShown({ roots }: Workplace, path: string): string {
  const [root, ...others] = roots;
  if (root === undefined || others.length > 0 || !isWithin(root, path)) return path;
  return relative(root, path).split(sep).join('/') || '.';
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function outside(given: string, roots: readonly string[]): Error {
  return userError(
    `${given} lies outside the workspace: name a path in ${roots.join(' or ')} that no link leads out of.`,
  );
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** A path without links; of one that is not there yet, that of the folders that are. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const isLink = (await lstat(path).catch(() => undefined)) !== undefined;
    // A link to nothing may get an end outside at any time.
    if (codeOf(error) !== 'ENOENT' || isLink || dirname(path) === path) throw error;
    return join(await realPlace(dirname(path)), basename(path));
  }
}
