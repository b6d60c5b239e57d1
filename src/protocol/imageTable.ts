import * as z from 'zod';
import { line, list, mostImages, mostListed } from './bounded.ts';
import { parseCsv } from './csv.ts';
import { messageOf, userError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { plural } from './plural.ts';
import { pathWithin } from './slices.ts';
import { someOf } from './someOf.ts';

/** A CSV file whose first column names images, and whose other columns say something of them. */
export const imageTableSchema = z.object({
  file: line(),
  /** Titles of the columns after the first. */
  columns: list(line(), mostListed),
  /** What names an image, with slashes, and its texts by column. */
  rows: list(z.tuple([line(), list(line(), mostListed)]), mostImages),
});
export type ImageTable = z.infer<typeof imageTableSchema>;

/** What a table says of the images of a test, by one of its columns. */
export interface ImageColumn {
  /** Texts by the image's path; images without one, or with an empty one, are left out. */
  readonly texts: ReadonlyMap<string, string>;
  /** Rows that name none of the images. */
  readonly unmatched: readonly string[];
}

/** Reads a table from the text of its file. Throws a user error where it is not CSV, or has one column only. */
export function parseImageTable(file: string, text: string): ImageTable {
  const [header = [], ...rows] = parsed(file, text);
  const [, ...columns] = header.map((title) => title.trim());
  if (columns.length === 0) {
    throw userError(`${file} has no column after its first, which names the images: give it one.`);
  }
  return {
    file,
    columns,
    rows: rows.map(([key = '', ...texts]) => [key.trim().replaceAll('\\', '/'), texts.map((each) => each.trim())]),
  };
}

function parsed(file: string, text: string): string[][] {
  try {
    return parseCsv(text);
  } catch (error) {
    throw userError(`${file} is not a CSV file: ${messageOf(error)}.`, error);
  }
}

/**
 * Finds the images of a test in a table: by their paths, whole or within the data, or by the name of the file where no
 * other tested image has it. Throws a user error where the table has no such column, or has two values for an image.
 */
export function imageColumn(
  table: ImageTable,
  column: string,
  { data, results }: Pick<Evaluation, 'data' | 'results'>,
): ImageColumn {
  const { file, rows } = table;
  const place = requireColumn(table, column);
  const imageOf = imagesByName(data, results);
  const texts = new Map<string, string>();
  const unmatched: string[] = [];
  for (const [key, cells] of rows) {
    const image = imageOf(key);
    const text = cells[place] ?? '';
    if (image === undefined) unmatched.push(key);
    else if (text !== '') {
      if ((texts.get(image) ?? text) !== text) throw userError(`${file} has two values for ${key} in the column ${column}.`); // prettier-ignore
      texts.set(image, text);
    }
  }
  return { texts, unmatched };
}

/** The place of a column. Throws a user error where there is none of that name. */
export function requireColumn({ file, columns }: ImageTable, column: string): number {
  const place = columns.indexOf(column);
  if (place >= 0) return place;
  throw userError(
    `${file} has no column ${column} after its first, which names the images: it has ${columns.join(', ')}.`,
  );
}

/** What of a test and of a table did not fit, as sentences. */
export function imageColumnNotes(
  { texts, unmatched }: ImageColumn,
  { file, column, images }: { readonly file: string; readonly column: string; readonly images: number },
): string[] {
  const without = images - texts.size;
  return [
    ...(without > 0 ? [`${plural(without, 'image')} of ${images} without ${column} in ${file}, so in no slice.`] : []),
    ...(unmatched.length > 0
      ? [`${plural(unmatched.length, 'row')} of ${file} without a tested image: ${someOf(unmatched)}.`]
      : []),
  ];
}

function imagesByName(data: string, results: Evaluation['results']): (key: string) => string | undefined {
  const byPath = new Map<string, string>();
  const byName = new Map<string, string | undefined>();
  for (const { image } of results) {
    const within = pathWithin(data, image);
    byPath.set(image.replaceAll('\\', '/'), image);
    byPath.set(within, image);
    const name = within.split('/').at(-1) ?? '';
    byName.set(name, byName.has(name) ? undefined : image);
  }
  return (key) => byPath.get(key) ?? byName.get(key);
}
