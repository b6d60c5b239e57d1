import { messageOf, userError } from '../../protocol/errors.ts';
import { parseBoundedJson } from '../../protocol/boundedJson.ts';
import { classNamesLimit, readBoundedText } from '../../runs/boundedFile.ts';
import { isObject } from '../../runs/safetensorsHeader.ts';

/**
 * Class names by number from 0, from a JSON list, a JSON object `{"0": "cat"}` or `{"cat": 0}` (torchvision's
 * `class_to_idx`), or a text with one name a line. Throws a user error where the file is none of these, or a number has no
 * name.
 */
export async function readClassList(file: string): Promise<readonly string[]> {
  const names = await readNames(file);
  const without = names.findIndex((name) => name === undefined || name === '');
  if (names.length === 0 || without >= 0) throw unnamed(file, without);
  return names.map((name) => name ?? '');
}

/** Names of classes by their numbers, from 0 or 1 on. */
export type ClassNumbers = readonly (string | undefined)[];

/** The same for labels that are numbers: a JSON object may count from 1, as `cat_to_name.json` does. */
export async function readClassNumbers(file: string): Promise<ClassNumbers> {
  const names = await readNames(file);
  const without = names.findIndex((name, number) => name === '' || (name === undefined && number > 0));
  if (names.length < 2 || without >= 0) throw unnamed(file, without);
  return names;
}

function unnamed(file: string, number: number): Error {
  return userError(`${file} names no class ${Math.max(0, number)}: list the names of all classes, from number 0 on.`);
}

async function readNames(file: string): Promise<(string | undefined)[]> {
  const content = await readBoundedText(file, classNamesLimit);
  return /\.json$/iu.test(file) ? fromJson(file, content) : fromLines(content);
}

function fromLines(content: string): string[] {
  const lines = content.split(/\r?\n/u).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

function fromJson(file: string, content: string): (string | undefined)[] {
  let value: unknown;
  try {
    value = parseBoundedJson(content);
  } catch (error) {
    throw userError(`${file} cannot be read: ${messageOf(error)}.`, error);
  }
  const entries: (readonly [unknown, unknown])[] = Array.isArray(value) ? [...value.entries()] : isObject(value) ? Object.entries(value) : []; // prettier-ignore
  const names = Array.from({ length: entries.length + 1 }, (): string | undefined => undefined);
  for (const [key, said] of entries) {
    const [number, name] = typeof said === 'number' ? [said, key] : [Number(key), said];
    if (typeof name === 'string' && number in names) names[number] = name.trim();
  }
  // Counted from 0, the last place is empty.
  if (names.at(-1) === undefined) names.pop();
  return names;
}
