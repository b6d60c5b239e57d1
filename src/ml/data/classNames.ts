import { dirname, join } from 'node:path';
import * as z from 'zod';
import { mostClasses, name } from '../../protocol/bounded.ts';
import { codeOf, userError } from '../../protocol/errors.ts';
import { classNamesLimit, readBoundedJson } from '../../runs/boundedFile.ts';
import { isObject } from '../../runs/safetensorsHeader.ts';

/** The file that names class folders, in the data folder or beside it. */
export const classNamesFile = 'cat_to_name.json';

/** Class folder and name; as pairs, since a folder may be called as a part of every object is, such as `__proto__`. */
const classNamesSchema = z.array(z.tuple([name(), name()])).max(10 * mostClasses);
const longestShown = 100;

/**
 * Display names by class folder, from a JSON object `{ folder: name }`: `file`, or else `cat_to_name.json` in the data
 * folder or its parent; empty where there is none. Throws a user error where the file given does not exist, or where the
 * file found is no such object.
 */
export async function readClassNames(folder: string, file?: string): Promise<ReadonlyMap<string, string>> {
  const candidates =
    file === undefined ? [join(folder, classNamesFile), join(dirname(folder), classNamesFile)] : [file];
  for (const candidate of candidates) {
    const names = await readOptional(candidate);
    if (names) return names;
  }
  if (file === undefined) return new Map();
  throw userError(`There is no file of class names at ${file}; correct the path or leave it out.`);
}

/** Undefined where there is no such file. */
async function readOptional(file: string): Promise<ReadonlyMap<string, string> | undefined> {
  let names: unknown;
  try {
    names = await readBoundedJson(file, classNamesLimit);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = classNamesSchema.safeParse(isObject(names) ? Object.entries(names) : undefined);
  if (parsed.success) return new Map(parsed.data);
  const [issue] = parsed.error.issues;
  const [entry, part] = issue?.path ?? [];
  const folder = isObject(names) && typeof entry === 'number' ? Object.keys(names)[entry]?.slice(0, longestShown) : '';
  const reason =
    folder === undefined || folder === ''
      ? 'it has to be one JSON object like {"21": "fire lily"}'
      : `${part === 0 ? 'the folder' : 'the name of'} ${folder} is wrong: ${issue?.message ?? ''}`;
  throw userError(`The class names in ${file} cannot be used, because ${reason}; correct it or name another file.`);
}
