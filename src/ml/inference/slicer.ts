import { isAbsolute, join } from 'node:path';
import { usageError, userError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { imageColumn, imageColumnNotes, parseImageTable, requireColumn } from '../../protocol/imageTable.ts';
import {
  measureOf,
  measures,
  type Slice,
  slicesByColumn,
  slicesByNumber,
  slicesByPath,
} from '../../protocol/slices.ts';
import { readBoundedText, tableLimit } from '../../runs/boundedFile.ts';

/** Cuts a test's images into slices. */
export type Slicer = (evaluation: Evaluation) => readonly Slice[];

/**
 * What `--slice` and the slices of an accuracy test ask for: `size`, `brightness`, `sharpness`, `path:PATTERN`, or `FILE.csv:COLUMN`. Reads the file, so that
 * what is wrong with it is known before the test. Throws a usage error for anything else, and a user error for a file that
 * cannot be read or lacks the column. `say` hears how many images the file has nothing of. Its path is relative to `folder`.
 */
export async function slicerOf(by: string, say: (line: string) => void, folder = ''): Promise<Slicer> {
  const measure = measures.find((name) => name === by);
  if (measure) return ({ results }) => slicesByNumber(results, (result) => measureOf(result, measure));
  if (by.startsWith('path:') && by.length > 'path:'.length) {
    return (evaluation) => slicesByPath(evaluation, by.slice('path:'.length));
  }
  const [, file, column] = /^(.+\.csv):(.+)$/iu.exec(by) ?? [];
  if (file !== undefined && column !== undefined)
    return columnSlicer(isAbsolute(file) ? file : join(folder, file), column, say);
  throw usageError(`Slices are by ${measures.join(', ')}, path:PATTERN or FILE.csv:COLUMN, not by ${by}.`);
}

/** Slices by what a CSV file says of the images; `say` hears which images and rows it has nothing to say of. */
async function columnSlicer(file: string, column: string, say: (line: string) => void): Promise<Slicer> {
  const table = parseImageTable(file, await readBoundedText(file, tableLimit));
  requireColumn(table, column);
  return ({ data, results }) => {
    const found = imageColumn(table, column, { data, results });
    const slices = slicesByColumn(results, ({ image }) => found.texts.get(image));
    if (slices.length === 0) {
      throw userError(`${file} names none of the images in its first column: name them by their paths within ${data}.`);
    }
    for (const note of imageColumnNotes(found, { file, column, images: results.length })) say(note);
    return slices;
  };
}
