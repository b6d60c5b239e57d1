import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import type { SplitName } from '../../protocol/dataReport.ts';
import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import { splitOfFolder } from '../../protocol/splitFolders.ts';
import { createLeft, type FoundImages, type LabelledImage } from './labelledImage.ts';
import { createLocator, findBase } from './locateFiles.ts';
import type { Table } from './readTable.ts';

/** Which columns of a table say what; found by their names where nothing is said. */
export interface ColumnChoice {
  readonly fileColumn?: string | undefined;
  readonly labelColumn?: string | undefined;
  readonly splitColumn?: string | undefined;
}

export interface TableOptions extends ColumnChoice {
  /** Folder that the files are in; else that of the table. */
  readonly images?: string | undefined;
  /** Whether the labels are numbers of a list of classes. */
  readonly isNumbered?: boolean | undefined;
  /** Of a table that lies in a split's folder. */
  readonly split?: SplitName | undefined;
}

/** Names of columns in lower case, without spaces and separators; the first that a table has is taken. */
const knownColumns = {
  file: 'filename file filepath path imagefile imagename imagepath image img imgpath imageid id'.split(' '),
  label: 'classname labelname categoryname class category label target'.split(' '),
  split: 'split subset partition dataset set'.split(' '),
} as const;

interface Columns {
  readonly file: number;
  readonly label: number;
  /** -1 where there is none. */
  readonly split: number;
}

/** The columns of file, label and split; undefined where a table lacks one that is named, or one of the first two. */
export function columnsOf({ columns }: Pick<Table, 'columns'>, choice: ColumnChoice = {}): Columns | undefined {
  const plain = columns.map((name) => name.toLowerCase().replaceAll(/[\s_-]+/gu, ''));
  const find = (what: keyof typeof knownColumns, named: string | undefined) => {
    if (named === undefined) return plain.indexOf(knownColumns[what].find((name) => plain.includes(name)) ?? '\0');
    return columns.indexOf(named);
  };
  const file = find('file', choice.fileColumn);
  const label = find('label', choice.labelColumn);
  const split = find('split', choice.splitColumn);
  const lacksSplit = split < 0 && choice.splitColumn !== undefined;
  return file < 0 || label < 0 || lacksSplit ? undefined : { file, label, split };
}

/**
 * The images that a table names, each with its class. Files are relative to the folder of the table, to `images` or to the
 * table's name in it, and must lie inside. Throws a user error where the table has no such columns, where a file lies
 * elsewhere, and where none is there.
 */
export async function tableImages(file: string, table: Table, options: TableOptions): Promise<FoundImages> {
  const columns = columnsOf(table, options);
  if (!columns) throw noColumns(file, table, options);
  const root = options.images === undefined ? dirname(resolve(file)) : resolve(options.images);
  const rows = table.rows.map((row) => ({
    name: (row[columns.file] ?? '').trim(),
    label: (row[columns.label] ?? '').trim(),
    split: columns.split < 0 ? undefined : (row[columns.split] ?? '').trim(),
  }));
  const places = [root, join(root, 'images'), join(root, basename(file, extname(file)))];
  const base = await findBase(rowOf(file, table), places, rows.map(({ name }) => name)); // prettier-ignore
  const locate = createLocator(base, rowOf(file, table));
  const left = createLeft();
  const byFile = new Map<string, LabelledImage>();
  const several = new Set<string>();
  for (const [at, { name, label, split }] of rows.entries()) {
    if (name === '') {
      left.add('no file is named', `row ${at + 1}`);
      continue;
    }
    const found = await locate(name, at);
    const own = split === undefined ? (options.split ?? splitOfPath(base, found)) : splitOfFolder(split);
    if (split !== undefined && own === undefined) left.add('no split that is known (train, valid or test)', name);
    else if (label === '') left.add('no label', name);
    else if (found === undefined) left.add('not there', name);
    else if ((byFile.get(found)?.label ?? label) !== label) several.add(found);
    else if (!byFile.has(found)) byFile.set(found, { file: found, label, split: own });
  }
  for (const path of several) {
    byFile.delete(path);
    left.add('several labels', relative(base, path));
  }
  const images = [...byFile.values()];
  if (images.length === 0) throw nothingFound(file, base, rows.length, left.all());
  return { images, left: left.all(), notes: notesOf(file, table, columns, { ...options, root, base }, images) };
}

/** What names a row to whoever opens the table. */
function rowOf(file: string, { hasHeader }: Table): (at: number) => string {
  return (at) => `Row ${at + (hasHeader ? 2 : 1)} of ${file}`;
}

function notesOf(
  file: string,
  { columns: names, hasHeader }: Table,
  columns: Columns,
  { labelColumn, isNumbered = false, root, base }: TableOptions & { readonly root: string; readonly base: string },
  images: readonly LabelledImage[],
): string[] {
  const notes: string[] = [];
  const plain = names.map((name) => name.toLowerCase().replaceAll(/[\s_-]+/gu, ''));
  const others = names.filter((_, at) => at !== columns.label && knownColumns.label.includes(plain[at] ?? ''));
  if (hasHeader && labelColumn === undefined && others.length > 0) {
    notes.push(`The labels of ${basename(file)} are those of its column ${names[columns.label] ?? ''}; it also has ${someOf(others)}, which --label-column takes.`); // prettier-ignore
  }
  if (base !== root) notes.push(`The files of ${basename(file)} are in ${base}.`);
  if (!isNumbered && images.every(({ label }) => /^\d+$/u.test(label))) {
    notes.push('The labels are numbers, and so are the names of the classes; --classes names them.');
  }
  return notes;
}

function noColumns(file: string, { columns }: Table, choice: ColumnChoice): Error {
  const has = `it has ${someOf(columns, 10)}`;
  const named = [choice.fileColumn, choice.labelColumn, choice.splitColumn].find((name) => name !== undefined && !columns.includes(name)); // prettier-ignore
  if (named !== undefined) return userError(`${file} has no column ${named} (${has}).`);
  const lacksFile = columnsOf({ columns: [...columns, 'label'] }, choice) === undefined;
  const [what, flag] = lacksFile ? ['files', '--file-column'] : ['labels', '--label-column'];
  return userError(`${file} has no column that is known for its ${what} (${has}): name it with ${flag}.`);
}

function nothingFound(file: string, base: string, rows: number, left: FoundImages['left']): Error {
  if (rows === 0) return userError(`${file} has no rows.`);
  const why = left.map(
    ({ files, reason }) => `${files.length} ${files.length === 1 ? 'file' : 'files'}: ${reason} (${someOf(files)})`,
  );
  return userError(`None of the files that ${file} names can be imported from ${base}. ${why.join('; ')}. --images names their folder.`); // prettier-ignore
}

/** `train/0001.png` lies in a split, where the path says so. */
function splitOfPath(base: string, file: string | undefined): SplitName | undefined {
  const parts = file === undefined ? [] : relative(base, file).split(sep);
  return parts.length > 1 ? splitOfFolder(parts[0] ?? '') : undefined;
}
