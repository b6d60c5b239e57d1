import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { splitNames } from '../../protocol/dataReport.ts';
import type { SplitName } from '../../protocol/dataReport.ts';
import { messageOf, userError } from '../../protocol/errors.ts';
import { readClassNames } from './classNames.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import { splitClass } from './stratifiedSplit.ts';
import type { SplitShares } from './stratifiedSplit.ts';

export interface Sample {
  /** Absolute path. */
  readonly file: string;
  /** Index into the data set's classes. */
  readonly classIndex: number;
}

export interface Dataset {
  /** Absolute path of the folder. */
  readonly root: string;
  /** Whether the folder itself says which image belongs to which split, or a seeded stratified split did. */
  readonly splitBy: 'folders' | 'seed';
  readonly classes: readonly ClassLabel[];
  readonly splits: Readonly<Record<SplitName, readonly Sample[]>>;
  /** Absolute paths of visible files that are no images by their names. */
  readonly notImages: readonly string[];
  /** What the scan did that a user would not guess from the folder. */
  readonly notes: readonly string[];
}

export interface ScanOptions extends SplitShares {
  /** JSON file that names the class folders; without it `cat_to_name.json` beside the data is used. */
  readonly classNames?: string;
  /** Classes of a checkpoint: images are numbered by these, whatever folders are there. Train images are not required. */
  readonly classes?: readonly ClassLabel[];
}

/** Folder names of the splits. */
const splitFolders: Readonly<Record<string, SplitName>> = {
  train: 'train',
  valid: 'valid',
  val: 'valid',
  validation: 'valid',
  test: 'test',
};

/** Directories that are read at the same time. */
const concurrency = 16;

/** Images by class folder, each list sorted, as one split folder (or the unsplit folder) holds them. */
type ClassFiles = ReadonlyMap<string, readonly string[]>;

/**
 * Lists a folder of images: `train|valid|val|validation|test/<class>/...` or `<class>/...`, which is split by seed. Classes
 * are numbered in the plain string order of their folders, as torchvision's `ImageFolder` does ("1", "10", "100", "2").
 * No file is opened. Hidden files are passed over. Where a folder has `train` and `test` but no validation, validation is
 * split off from train by seed and `notes` says so.
 *
 * Throws a user error for a folder that does not exist or holds no images, fewer than two classes or none to train on.
 */
export async function scanDataset(folder: string, options: ScanOptions): Promise<Dataset> {
  const root = resolve(folder);
  const entries = await listFolder(root);
  const notImages: string[] = [];
  const notes: string[] = [];
  const names = await readClassNames(root, options.classNames);
  const splitPaths = await findSplitFolders(root, entries);
  const found = splitPaths
    ? await readSplits(splitPaths, notImages)
    : { all: await readClasses(root, entries, notImages) };
  const files = 'all' in found ? splitAll(found.all, options) : withValidation(found, options, notes);
  const classes = options.classes ?? labelClasses(files, names);
  const splits = numberSamples(root, files, classes);
  checkDataset(root, splits, classes, options.classes !== undefined);
  return { root, splitBy: splitPaths ? 'folders' : 'seed', classes, splits, notImages, notes };
}

async function listFolder(path: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw userError(`There is no folder ${path}; give the folder that holds the images.`, error);
    if (code === 'ENOTDIR') throw userError(`${path} is a file; give the folder that holds the images.`, error);
    throw userError(`The folder ${path} cannot be read (${messageOf(error)}); check its permissions.`, error);
  }
}

/** What an entry is, links followed; a broken link is nothing. Only links cost a call. */
async function kindOf(folder: string, entry: Dirent): Promise<'folder' | 'file' | 'nothing'> {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  if (!entry.isSymbolicLink()) return 'nothing';
  const target = await stat(join(folder, entry.name)).catch(() => undefined);
  return target?.isDirectory() ? 'folder' : target?.isFile() ? 'file' : 'nothing';
}

/**
 * The split folders of a data set that has them: one of the names, and folders inside. A class that happens to be called
 * "train" holds images and no folders.
 */
async function findSplitFolders(root: string, entries: readonly Dirent[]): Promise<Map<SplitName, string> | undefined> {
  const found = new Map<SplitName, string>();
  for (const entry of entries) {
    const split = splitFolders[entry.name.toLowerCase()];
    if (!split || (await kindOf(root, entry)) !== 'folder') continue;
    const path = join(root, entry.name);
    const inside = await listFolder(path);
    const kinds = await Promise.all(inside.map((inner) => kindOf(path, inner)));
    if (!kinds.includes('folder')) continue;
    const other = found.get(split);
    if (other !== undefined) {
      throw userError(`${root} has both ${basename(other)} and ${entry.name}; keep one of them for validation.`);
    }
    found.set(split, path);
  }
  return found.size > 0 ? found : undefined;
}

async function readSplits(
  paths: ReadonlyMap<SplitName, string>,
  notImages: string[],
): Promise<Record<SplitName, ClassFiles>> {
  const read = async (split: SplitName): Promise<ClassFiles> => {
    const path = paths.get(split);
    return path === undefined ? new Map() : readClasses(path, await listFolder(path), notImages);
  };
  return { train: await read('train'), valid: await read('valid'), test: await read('test') };
}

/** Reads every class folder below `parent`, several at a time. Files beside the class folders belong to no class. */
async function readClasses(parent: string, entries: readonly Dirent[], notImages: string[]): Promise<ClassFiles> {
  const folders: string[] = [];
  for (const entry of entries) {
    const kind = await kindOf(parent, entry);
    if (kind === 'folder') folders.push(entry.name);
    // The map of class names and the like are nothing to report; an image without a class is.
    else if (kind === 'file' && isImageFile(entry.name)) notImages.push(join(parent, entry.name));
  }
  folders.sort();
  const classes = new Map<string, string[]>(folders.map((name) => [name, []]));
  const queue = folders.values();
  const work = async () => {
    for (const name of queue) {
      const files = classes.get(name) ?? [];
      await collectImages(join(parent, name), files, notImages);
      files.sort();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return classes;
}

async function collectImages(folder: string, images: string[], notImages: string[]): Promise<void> {
  for (const entry of await listFolder(folder)) {
    const path = join(folder, entry.name);
    const kind = await kindOf(folder, entry);
    if (kind === 'folder') await collectImages(path, images, notImages);
    else if (kind === 'file') (isImageFile(entry.name) ? images : notImages).push(path);
  }
}

function splitAll(all: ClassFiles, shares: SplitShares): Record<SplitName, ClassFiles> {
  const splits = {
    train: new Map<string, string[]>(),
    valid: new Map<string, string[]>(),
    test: new Map<string, string[]>(),
  };
  for (const [folder, files] of all) {
    const parts = splitClass(folder, files, shares);
    for (const name of splitNames) splits[name].set(folder, parts[name]);
  }
  return splits;
}

/** Takes validation images from train where the folders give none. */
function withValidation(
  found: Record<SplitName, ClassFiles>,
  { validShare, seed }: SplitShares,
  notes: string[],
): Record<SplitName, ClassFiles> {
  if (countFiles(found.valid) > 0 || validShare === 0) return found;
  const parts = splitAll(found.train, { validShare, testShare: 0, seed });
  const taken = countFiles(parts.valid);
  if (taken > 0) {
    notes.push(
      `There is no validation folder, so ${taken} of the training images, drawn by seed, serve for validation.`,
    );
  }
  return { ...parts, test: found.test };
}

function countFiles(classes: ClassFiles): number {
  return [...classes.values()].reduce((sum, files) => sum + files.length, 0);
}

/** Every folder with at least one image in any split is a class. */
function labelClasses(files: Record<SplitName, ClassFiles>, names: ReadonlyMap<string, string>): ClassLabel[] {
  const folders = new Set<string>();
  for (const split of splitNames) {
    for (const [folder, images] of files[split]) if (images.length > 0) folders.add(folder);
  }
  return [...folders].sort().map((folder, index) => ({ index, folder, name: names.get(folder) ?? folder }));
}

function numberSamples(
  root: string,
  files: Record<SplitName, ClassFiles>,
  classes: readonly ClassLabel[],
): Record<SplitName, Sample[]> {
  const indexOf = new Map(classes.map(({ folder, index }) => [folder, index]));
  const samples: Record<SplitName, Sample[]> = { train: [], valid: [], test: [] };
  for (const split of splitNames) {
    for (const [folder, images] of files[split]) {
      if (images.length === 0) continue;
      const classIndex = indexOf.get(folder);
      if (classIndex === undefined) {
        throw userError(`The class folder ${folder} of ${root} is unknown to the checkpoint; rename or remove it.`);
      }
      for (const file of images) samples[split].push({ file, classIndex });
    }
  }
  return samples;
}

function checkDataset(
  root: string,
  { train, valid, test }: Record<SplitName, readonly Sample[]>,
  classes: readonly ClassLabel[],
  known: boolean,
): void {
  if (train.length + valid.length + test.length === 0) {
    throw userError(`No images lie in class folders of ${root}; put them into <class>/ or train/<class>/.`);
  }
  if (known) return;
  if (classes.length < 2) {
    throw userError(
      `${root} has the single class ${classes[0]?.folder ?? ''}; a classifier needs two class folders or more.`,
    );
  }
  if (train.length === 0) throw userError(`${root} has no images to train on; put some into train/<class>/.`);
}
