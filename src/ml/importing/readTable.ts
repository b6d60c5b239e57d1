import { basename } from 'node:path';
import Papa from 'papaparse';
import { parseBoundedJson } from '../../protocol/boundedJson.ts';
import { messageOf, userError } from '../../protocol/errors.ts';
import { endingOf, isImageFile } from '../../protocol/imageFiles.ts';
import { readBoundedText, tableLimit } from '../../runs/boundedFile.ts';
import { isObject } from '../../runs/safetensorsHeader.ts';

/** Rows under the names of their columns. A cell is empty where a row has no value. */
export interface Table {
  readonly kind: 'table';
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether the file names its columns; else they are `file` and `label`. */
  readonly hasHeader: boolean;
}

/** A JSON object that is no table. */
export interface JsonObject {
  readonly kind: 'object';
  readonly value: Readonly<Record<string, unknown>>;
}

const textEndings = ['csv', 'tsv', 'txt'];
const lineEndings = ['jsonl', 'ndjson'];

/** Whether a file may be a table of labels, by its ending. */
export function isTableFile(name: string): boolean {
  return [...textEndings, ...lineEndings, 'json'].includes(endingOf(name));
}

/**
 * Reads a table: CSV whose separator is found (comma, tab, semicolon, bar), JSON lines, a JSON list of objects, or another
 * JSON object as it is. Throws a user error where the file cannot be read or is none of these.
 */
export async function readTable(file: string): Promise<Table | JsonObject> {
  const content = (await readBoundedText(file, tableLimit)).replace(/^\uFEFF/u, '');
  if (content.includes('\0')) throw noTable(file);
  if (textEndings.includes(endingOf(file))) return csvTable(file, content);
  const isLines = lineEndings.includes(endingOf(file));
  const value = isLines ? jsonLines(file, content) : parsed(file, content);
  if (Array.isArray(value)) return tableOfObjects(file, value);
  if (isObject(value)) return { kind: 'object', value };
  throw noTable(file);
}

function noTable(file: string): Error {
  return userError(`${file} holds no table: give CSV, JSON lines, or a list of objects.`);
}

function csvTable(file: string, content: string): Table {
  const { data, errors } = Papa.parse<string[]>(content, {
    skipEmptyLines: 'greedy',
    delimitersToGuess: [',', '\t', ';', '|'],
  });
  const wrong = errors.find(({ type }) => type === 'Quotes');
  if (wrong) throw userError(`${file} is not CSV: a quote is wrong in row ${(wrong.row ?? 0) + 1}.`);
  const [first, ...rest] = data;
  if (!first) throw userError(`${file} has no rows.`);
  const cells = first.map((cell) => cell.trim());
  const [one = '', two = ''] = cells;
  // Without a header the first row has a file and its class.
  if (cells.length === 2 && isImageFile(one) !== isImageFile(two)) {
    const columns = isImageFile(one) ? ['file', 'label'] : ['label', 'file'];
    return { kind: 'table', columns, rows: data, hasHeader: false };
  }
  return { kind: 'table', columns: cells, rows: rest, hasHeader: true };
}

function parsed(file: string, content: string): unknown {
  try {
    return parseBoundedJson(content);
  } catch (error) {
    throw userError(`${file} cannot be read: ${messageOf(error)}.`, error);
  }
}

function jsonLines(file: string, content: string): unknown[] {
  return content.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch (error) {
      throw userError(`Line ${at + 1} of ${basename(file)} is not valid JSON.`, error);
    }
  });
}

function tableOfObjects(file: string, values: readonly unknown[]): Table {
  const columns = new Map<string, number>();
  for (const [at, value] of values.entries()) {
    if (!isObject(value)) throw userError(`Row ${at + 1} of ${basename(file)} is not an object like {"file": "a.jpg", "label": "cat"}.`); // prettier-ignore
    for (const key of Object.keys(value)) if (!columns.has(key)) columns.set(key, columns.size);
  }
  const names = [...columns.keys()];
  const rows = values.map((value) => names.map((name) => cellOf(isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined))); // prettier-ignore
  return { kind: 'table', columns: names, rows, hasHeader: true };
}

/** Texts and whole numbers are labels; anything else says nothing. */
function cellOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
