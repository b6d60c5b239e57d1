import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import type { SplitName } from '../../protocol/dataReport.ts';
import { UserError, userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import { hintAtSplit, splitOfFolder } from '../../protocol/splitFolders.ts';
import type { Layout } from '../../protocol/trainingConfig.ts';
import { isPassedOver } from '../../protocol/passedOver.ts';
import type { ClassNumbers } from '../data/classList.ts';
import { classesByNumber } from './classesByNumber.ts';
import { cocoImages, isCoco } from './cocoImages.ts';
import { flowersImages } from './flowersImages.ts';
import { folderImages } from './folderImages.ts';
import type { FoundImages } from './labelledImage.ts';
import { isTableFile, type JsonObject, readTable, type Table } from './readTable.ts';
import { columnsOf, tableImages, type TableOptions } from './tableImages.ts';

export interface SourceOptions extends Omit<TableOptions, 'split' | 'isNumbered'> {
  /** What the folders are, where no table says the classes; `auto` looks for a table first. */
  readonly layout: Layout;
  /** Names of the classes, for labels and folders that are numbers. */
  readonly classes?: ClassNumbers | undefined;
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
 * `metadata.csv`, `labels.csv`, COCO's annotations, the Oxford flowers' `imagelabels.mat`), or by its folders. Throws a user error where neither says classes,
 * where an option has nothing that it could be for, and as `classesByNumber` does.
 */
export async function imagesOfFolder(root: string, options: SourceOptions): Promise<FoundImages> {
  const found = await unnamedImages(root, options);
  return options.classes ? classesByNumber(found, options.classes, { source: root, root }) : found;
}

async function unnamedImages(root: string, { classes, ...options }: SourceOptions): Promise<FoundImages> {
  if (options.layout !== 'auto') {
    refuse(['images', ...columnOptions], options, `--layout ${options.layout} goes by the folders`);
    return folderImages(root, options.layout);
  }
  const isNumbered = classes !== undefined;
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
      const images = await imagesIn(file, table, { ...options, split, isNumbered }).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        throw userError(`${error.message} To go by the folders and not by this file, give --layout classes or splits.`, error.cause); // prettier-ignore
      });
      found.push({ ...images, file });
    }
  }
  if (found.length === 0) {
    refuse(columnOptions, options, `${root} has no table with such a column`);
    const flowers = await flowersImages(root, options.images);
    if (!flowers) refuse(['images'], options, `the folders of ${root} say the classes, and no table`);
    const images = flowers ?? (await folderImages(root, 'auto'));
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

/** The images that a file lists. Throws a user error for one that lists no images with labels, and as `tableImages` and `classesByNumber` do. */
export async function imagesOfTable(
  file: string,
  { classes, ...options }: Omit<SourceOptions, 'layout'>,
): Promise<FoundImages> {
  const found = await imagesIn(file, await readTable(file), { ...options, isNumbered: classes !== undefined });
  return classes ? classesByNumber(found, classes, { source: file, root: dirname(resolve(file)) }) : found;
}

/** The flags of options that only some sources have a use for. */
const flags = {
  images: '--images',
  fileColumn: '--file-column',
  labelColumn: '--label-column',
  splitColumn: '--split-column',
} as const;
const columnOptions = ['fileColumn', 'labelColumn', 'splitColumn'] as const;

/** Throws a user error for an option that would do nothing. */
function refuse(names: readonly (keyof typeof flags)[], options: TableOptions, why: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given !== undefined) throw userError(`${flags[given]} has no use here, as ${why}: leave it out.`);
}

function saysLabels(table: Table | JsonObject, options: TableOptions): boolean {
  return table.kind === 'object' ? isCoco(table) : columnsOf(table, options) !== undefined;
}

async function imagesIn(file: string, table: Table | JsonObject, options: TableOptions): Promise<FoundImages> {
  if (table.kind === 'table') return tableImages(file, table, options);
  if (isCoco(table)) {
    refuse(columnOptions, options, `${file} is of COCO’s format, which has no columns`);
    return cocoImages(file, table, options);
  }
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
