import { resolve } from 'node:path';
import { parseCsv } from '../../protocol/csv.ts';
import { messageOf, usageError, userError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import {
  measureOf,
  measures,
  pathWithin,
  type Slice,
  slicesByColumn,
  slicesByNumber,
  slicesByPath,
} from '../../protocol/slices.ts';
import { plural } from '../../protocol/plural.ts';
import { readBoundedText, tableLimit } from '../../runs/boundedFile.ts';
import { formatTable } from './table.ts';

/** Cuts a test's images into slices, as a `--slice` says. */
export type Slicer = (evaluation: Evaluation) => readonly Slice[];

/** The slices of a test by one `--slice`. */
export interface SlicesBy {
  readonly by: string;
  readonly slices: readonly Slice[];
}

/**
 * What `--slice` asks for: `size`, `brightness`, `sharpness`, `path:PATTERN`, or `FILE.csv:COLUMN`. Reads the file, so that
 * what is wrong with it is known before the test. Throws a usage error for anything else, and a user error for a file that
 * cannot be read or lacks the column. `say` hears how many images the file has nothing of.
 */
export async function slicerOf(by: string, say: (line: string) => void): Promise<Slicer> {
  const measure = measures.find((name) => name === by);
  if (measure) return ({ results }) => slicesByNumber(results, (result) => measureOf(result, measure));
  if (by.startsWith('path:') && by.length > 'path:'.length) {
    return (evaluation) => slicesByPath(evaluation, by.slice('path:'.length));
  }
  const [, file, column] = /^(.+\.csv):(.+)$/iu.exec(by) ?? [];
  if (file !== undefined && column !== undefined) return columnSlicer(file, column, say);
  throw usageError(`--slice takes ${measures.join(', ')}, path:PATTERN or FILE.csv:COLUMN, not ${by}.`);
}

/**
 * The first column names an image: its path, whole or within the data, or its file's name where no other tested image has
 * it. Images without a value are in no slice, and `say` hears how many they are.
 */
async function columnSlicer(file: string, column: string, say: (line: string) => void): Promise<Slicer> {
  const texts = await readColumn(file, column);
  return ({ data, results }) => {
    const named = results.map(({ image }) => namesOf(data, image));
    const timesNamed = new Map<string, number>();
    for (const { name } of named) timesNamed.set(name, (timesNamed.get(name) ?? 0) + 1);
    const textOf = new Map(
      results.map(({ image }, index) => {
        const { within, whole, name } = named[index] ?? namesOf(data, image);
        const alone = timesNamed.get(name) === 1 ? texts.get(name) : undefined;
        return [image, texts.get(within) ?? texts.get(whole) ?? alone];
      }),
    );
    const slices = slicesByColumn(results, ({ image }) => textOf.get(image));
    if (slices.length === 0) {
      throw userError(`${file} names none of the images in its first column: name them by their paths within ${data}.`);
    }
    const without = [...textOf.values()].filter((text) => text === undefined).length;
    if (without > 0)
      say(`${plural(without, 'image')} of ${results.length} without ${column} in ${file}, so in no slice.`);
    return slices;
  };
}

function namesOf(data: string, image: string) {
  const within = pathWithin(data, image);
  return { within, whole: resolve(image).replaceAll('\\', '/'), name: within.split('/').at(-1) ?? '' };
}

/** The texts of a column by what the first says; cells that are empty are left out. */
async function readColumn(file: string, column: string): Promise<ReadonlyMap<string, string>> {
  const [header = [], ...rows] = await readTable(file);
  const place = header.indexOf(column);
  if (place < 1) {
    throw userError(
      `${file} has no column ${column} after its first, which names the images: it has ${header.join(', ')}.`,
    );
  }
  const texts = new Map<string, string>();
  for (const row of rows) {
    const [key, text] = [(row[0] ?? '').replaceAll('\\', '/'), (row[place] ?? '').trim()];
    if (text === '') continue;
    if ((texts.get(key) ?? text) !== text)
      throw userError(`${file} has two values for ${key} in the column ${column}.`);
    texts.set(key, text);
  }
  return texts;
}

async function readTable(file: string): Promise<string[][]> {
  const text = await readBoundedText(file, tableLimit);
  try {
    return parseCsv(text);
  } catch (error) {
    throw userError(`${file} is not a CSV file: ${messageOf(error)}.`, error);
  }
}

/** What `fivecrop test --slice` prints. */
export function sliceLines({ by, slices }: SlicesBy): string[] {
  const rows = slices.map(({ name, results, accuracy, interval }) => [
    name,
    String(results.length),
    accuracy.toFixed(3),
    `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
  ]);
  return ['', ...formatTable([by, 'images', 'accuracy', '95% interval'], rows)];
}

/** The same for `--json`, with the images that are predicted wrong. */
export function sliceObject({ by, slices }: SlicesBy): object {
  return {
    by,
    slices: slices.map(({ name, results, accuracy, interval }) => ({
      ...{ name, images: results.length, accuracy, interval },
      wrong: results.filter(({ actual, predicted }) => actual !== predicted).map(({ image }) => image),
    })),
  };
}
