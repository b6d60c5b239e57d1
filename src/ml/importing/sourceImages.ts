import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import type { SplitName } from '../../protocol/dataReport.ts';
import { UserError, userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import { hintAtSplit, splitOfFolder } from '../../protocol/splitFolders.ts';
import type { Layout } from '../../protocol/trainingConfig.ts';
import { isPassedOver } from '../../protocol/passedOver.ts';
import { cocoImages, isCoco } from './cocoImages.ts';
import { flowersImages } from './flowersImages.ts';
import { folderImages } from './folderImages.ts';
import type { FoundImages } from './labelledImage.ts';
import { isTableFile, type JsonObject, readTable, type Table } from './readTable.ts';
import { columnsOf, tableImages, type TableOptions } from './tableImages.ts';

export interface SourceOptions extends Omit<TableOptions, 'split'> {
  /** What the folders are, where no table says the classes; `auto` looks for a table first. */
  readonly layout: Layout;
}

/** Names of files that list a data set's labels; others in a data set's folder say other things. */
const tableName =
  /^(?:meta|metadata|labels?|_?annotations?(?:\.coco)?|instances_.+|index|data|dataset|train.*|val.*|dev.*|test.*)$/iu;

/** Whether a file in a data set may list its labels, by its name. */
export function isLabelTable(name: string): boolean {
  return isTableFile(name) && extname(name) !== '.txt' && tableName.test(basename(name, extname(name)));
}

/**
 * The images that a folder holds, with their classes: by the tables that lie in it or in a folder of its (the hub's
 * `metadata.csv`, `labels.csv`, COCO's annotations, the Oxford flowers' `imagelabels.mat`), or by its folders. Throws a user error where neither says classes.
 */
export async function imagesOfFolder(root: string, options: SourceOptions): Promise<FoundImages> {
  if (options.layout !== 'auto') return folderImages(root, options.layout);
  const tables = await tablesIn(root);
  const found: (FoundImages & { readonly file: string })[] = [];
  const notes: string[] = [];
  for (const file of tables) {
    const table = await readTable(file).catch((error: unknown) => {
      if (error instanceof UserError) return error;
      throw error;
    });
    if (table instanceof UserError || !saysLabels(table, options)) {
      notes.push(`${relative(root, file)} has no columns of files and labels, so it is not used.`);
    } else {
      const split = splitOfTable(root, file, tables);
      const images = await imagesIn(file, table, { ...options, split }).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        throw userError(`${error.message} To go by the folders and not by this file, give --layout classes or splits.`, error.cause); // prettier-ignore
      });
      found.push({ ...images, file });
    }
  }
  if (found.length === 0) {
    const images = (await flowersImages(root, options.images)) ?? (await folderImages(root, 'auto'));
    return { ...images, notes: [...images.notes, ...notes] };
  }
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

/** The images that a file lists. Throws a user error for one that lists no images with labels, and as `tableImages` does. */
export async function imagesOfTable(file: string, options: TableOptions): Promise<FoundImages> {
  return imagesIn(file, await readTable(file), options);
}

function saysLabels(table: Table | JsonObject, options: TableOptions): boolean {
  return table.kind === 'object' ? isCoco(table) : columnsOf(table, options) !== undefined;
}

async function imagesIn(file: string, table: Table | JsonObject, options: TableOptions): Promise<FoundImages> {
  if (table.kind === 'table') return tableImages(file, table, options);
  if (isCoco(table)) return cocoImages(file, table, options);
  throw userError(`${file} is not of COCO’s format, which has images, annotations and categories.`);
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
