import type { FileHandle } from 'node:fs/promises';
import { parseBoundedJson } from '../protocol/boundedJson.ts';
import { messageOf, userError } from '../protocol/errors.ts';
import { headerLimit, readBytes, withRegularFile } from './boundedFile.ts';

export const headerLengthBytes = 8;

/** Strings that lie in the header under `__metadata__`. */
export type SafetensorsMetadata = Readonly<Record<string, string>>;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The refusal of a file that is not what the format says. */
export function invalidSafetensors(path: string, reason: string): Error {
  return userError(`${path} is not a usable safetensors file: ${reason}. Download or save it again.`);
}

/** The header of an open safetensors file of `size` bytes, and the byte at which the data starts. Throws a user error. */
export async function readHeaderJson(
  handle: FileHandle,
  path: string,
  size: number,
): Promise<{ readonly json: JsonObject; readonly dataStart: number }> {
  if (/\.onnx$/iu.test(path)) {
    throw userError(`${path} is an ONNX file, not a checkpoint: name a *.safetensors file or the folder of a run.`);
  }
  if (size < headerLengthBytes) throw invalidSafetensors(path, 'it is shorter than a header');
  const short = () => invalidSafetensors(path, 'it ends too early');
  const lengthBytes = await readBytes(handle, 0, headerLengthBytes, short);
  const length = Number(new DataView(lengthBytes.buffer).getBigUint64(0, true));
  if (length > size - headerLengthBytes) {
    throw invalidSafetensors(path, 'its first 8 bytes are not the length of a header');
  }
  if (length > headerLimit.bytes) {
    throw invalidSafetensors(path, `its header is longer than the ${headerLimit.bytes} bytes that are read`);
  }
  const bytes = await readBytes(handle, headerLengthBytes, length, short);
  let json: unknown;
  try {
    json = parseBoundedJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalidSafetensors(path, `its header cannot be used: ${messageOf(error)}`);
  }
  if (!isObject(json)) throw invalidSafetensors(path, 'its header is not a JSON object');
  return { json, dataStart: headerLengthBytes + length };
}

/** The strings under `__metadata__` of a header. Throws a user error where they are none. */
export function metadataOf(path: string, json: JsonObject): SafetensorsMetadata {
  const metadata = Object.hasOwn(json, '__metadata__') ? json['__metadata__'] : {};
  if (!isObject(metadata)) throw invalidSafetensors(path, '`__metadata__` is not an object');
  const strings = new Map<string, string>();
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw invalidSafetensors(path, `the metadata \`${key}\` is not a string`);
    strings.set(key, value);
  }
  return Object.fromEntries(strings);
}

/** The metadata as our own files have it: first in the header, an object of strings, within what was read. */
const leadingMetadata = /^\{"__metadata__":(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})[,}]/;
const leadingBytes = 64 * 1024;

function leadingMetadataOf(path: string, header: string): SafetensorsMetadata | undefined {
  const json = leadingMetadata.exec(header)?.[1];
  try {
    return json === undefined ? undefined : metadataOf(path, { __metadata__: JSON.parse(json) as unknown });
  } catch {
    return undefined;
  }
}

/**
 * The metadata alone, without looking at the tensors' entries: for lists of many files, and quickest for files whose
 * header starts with it, as ours do. Throws a user error where the file cannot be opened or has no safetensors header.
 */
export function readSafetensorsMetadata(path: string): Promise<SafetensorsMetadata> {
  return withRegularFile(path, async (handle, size) => {
    const short = () => invalidSafetensors(path, 'it ends too early');
    const leading = await readBytes(handle, 0, Math.min(size, leadingBytes), short);
    const header = new TextDecoder().decode(leading.subarray(headerLengthBytes));
    return leadingMetadataOf(path, header) ?? metadataOf(path, (await readHeaderJson(handle, path, size)).json);
  });
}
