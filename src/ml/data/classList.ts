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
  const content = await readBoundedText(file, classNamesLimit);
  const names = /\.json$/iu.test(file) ? fromJson(file, content) : fromLines(content);
  const without = names.findIndex((name) => name === undefined || name === '');
  if (names.length === 0 || without >= 0) throw userError(`${file} names no class ${Math.max(0, without)}: list the names of all classes, from number 0 on.`); // prettier-ignore
  return names.map((name) => name ?? '');
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
  const names = Array.from(entries, (): string | undefined => undefined);
  for (const [key, said] of entries) {
    const [number, name] = typeof said === 'number' ? [said, key] : [Number(key), said];
    if (typeof name === 'string' && number in names) names[number] = name.trim();
  }
  return names;
}
