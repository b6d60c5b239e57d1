import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import type { SplitName } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import { hintAtSplit, splitOfFolder } from '../../protocol/splitFolders.ts';
import type { Layout } from '../../protocol/trainingConfig.ts';
import { isPassedOver } from '../../protocol/passedOver.ts';
import { cocoImages, isCoco } from './cocoImages.ts';
import { folderImages } from './folderImages.ts';
import type { FoundImages } from './labelledImage.ts';
import { isTableFile, readTable } from './readTable.ts';
import { columnsOf, tableImages, type TableOptions } from './tableImages.ts';

export interface SourceOptions extends Omit<TableOptions, 'split'> {
  /** What the folders are, where no table says the classes; `auto` looks for a table first. */
  readonly layout: Layout;
}

/** Names of files that list a data set's labels; others in a data set's folder say other things. */
const tableName =
  /^(?:metadata|labels?|_?annotations?(?:\.coco)?|instances_.+|captions?|index|train.*|val.*|dev.*|test.*)$/iu;

/** Whether a file in a data set may list its labels, by its name. */
export function isLabelTable(name: string): boolean {
  return isTableFile(name) && extname(name) !== '.txt' && tableName.test(basename(name, extname(name)));
}

/**
 * The images that a folder holds, with their classes: by the tables that lie in it or in a folder of its (the hub's
 * `metadata.csv`, `labels.csv`, COCO's annotations), or by its folders. Throws a user error where neither says classes.
 */
export async function imagesOfFolder(root: string, options: SourceOptions): Promise<FoundImages> {
  if (options.layout !== 'auto') return folderImages(root, options.layout);
  const tables = await tablesIn(root);
  const found: (FoundImages & { readonly file: string })[] = [];
  const notes: string[] = [];
  for (const file of tables) {
    const images = await imagesOfTable(file, { ...options, split: splitOfTable(root, file, tables) }, false);
    if (images) found.push({ ...images, file });
    else notes.push(`${relative(root, file)} has no columns of files and labels, so it is not used.`);
  }
  if (found.length === 0)
    return folderImages(root, 'auto').then((images) => ({ ...images, notes: [...images.notes, ...notes] }));
  const names = someOf(found.map(({ file }) => relative(root, file)));
  return {
    images: found.flatMap(({ images }) => images),
    left: found.flatMap(({ left }) => left),
    notes: [
      `The classes are those that ${names} ${found.length === 1 ? 'says' : 'say'}.`,
      ...found.flatMap((each) => each.notes),
      ...notes,
    ],
  };
}

/** The images that one file lists. Undefined, or where `isAsked` a user error, for a file that lists no images with labels. */
export async function imagesOfTable(file: string, options: TableOptions, isAsked: true): Promise<FoundImages>;
export async function imagesOfTable(
  file: string,
  options: TableOptions,
  isAsked: boolean,
): Promise<FoundImages | undefined>;
export async function imagesOfTable(
  file: string,
  options: TableOptions,
  isAsked: boolean,
): Promise<FoundImages | undefined> {
  const table = await readTable(file);
  if (table.kind === 'object') {
    if (isCoco(table)) return cocoImages(file, table, options);
    if (!isAsked) return undefined;
    throw userError(`${file} is not of COCO’s format, which has images, annotations and categories.`);
  }
  if (!isAsked && columnsOf(table, options) === undefined) return undefined;
  return tableImages(file, table, options);
}

/** Tables in the folder and in the folders in it. */
async function tablesIn(root: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const { name } = entry;
      if (isPassedOver(name)) continue;
      if (entry.isDirectory() && depth === 0) await look(join(folder, name), 1);
      if (entry.isFile() && isLabelTable(name)) found.push(join(folder, name));
    }
  };
  await look(root, 0);
  return found.sort();
}

/** The split of a table that lies in a split's folder, or that is one of several called like splits. */
function splitOfTable(root: string, file: string, tables: readonly string[]): SplitName | undefined {
  const folder = dirname(file) === root ? undefined : splitOfFolder(basename(dirname(file)));
  if (folder !== undefined || tables.length === 1) return folder;
  const stem = basename(file, extname(file));
  return splitOfFolder(stem) ?? hintAtSplit(stem)?.split;
}
