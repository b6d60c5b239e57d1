import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { messageOf, userError } from '../../protocol/errors.ts';

/** The file that names class folders, in the data folder or beside it. */
export const classNamesFile = 'cat_to_name.json';

const classNamesSchema = z.record(z.string(), z.string());

/**
 * Display names by class folder, from a JSON object `{ folder: name }`: `file`, or else `cat_to_name.json` in the data
 * folder or its parent; empty where there is none. Throws a user error where the file given does not exist, or where the
 * file found is no such object.
 */
export async function readClassNames(folder: string, file?: string): Promise<ReadonlyMap<string, string>> {
  const candidates =
    file === undefined ? [join(folder, classNamesFile), join(dirname(folder), classNamesFile)] : [file];
  for (const candidate of candidates) {
    const text = await readOptional(candidate);
    if (text !== undefined) return parseClassNames(candidate, text);
  }
  if (file === undefined) return new Map();
  throw userError(`There is no file of class names at ${file}; correct the path or leave it out.`);
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw userError(`The class names in ${file} cannot be read (${messageOf(error)}).`, error);
  }
}

function parseClassNames(file: string, text: string): ReadonlyMap<string, string> {
  try {
    return new Map(Object.entries(classNamesSchema.parse(JSON.parse(text.replace(/^\uFEFF/, '')))));
  } catch (error) {
    throw userError(
      `${file} has to be one JSON object like {"21": "fire lily"}; correct it or name another file.`,
      error,
    );
  }
}
