import type { FileHandle } from 'node:fs/promises';
import { userError } from '../../protocol/errors.ts';
import { elementCount, type StateDict, type Tensor } from '../graph/tensor.ts';
import { elementBytes, type ElementType, tensorFromBytes } from './elementTypes.ts';
import { partBytes, readBytes, withFile } from './readFile.ts';
import { type FileToWrite, writeAtomically } from './writeAtomically.ts';

/** The limit of the reference implementation. */
const maximumHeaderBytes = 100_000_000;
const maximumDimensions = 64;
const headerLengthBytes = 8;
const dataAlignment = 8;

const elementTypes: Readonly<Record<string, ElementType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};
const writtenTypes = { float32: 'F32', int64: 'I64', uint8: 'U8' } as const;

/** Strings that lie in the header under `__metadata__`. */
export type SafetensorsMetadata = Readonly<Record<string, string>>;

/** Where a tensor lies in a file. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Bytes from the start of the data, which follows the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: SafetensorsMetadata;
  /** In the order of the header, which for our own files is the state dict's. */
  readonly entries: readonly SafetensorsEntry[];
  /** Byte of the file at which the data starts. */
  readonly dataStart: number;
}

export interface Safetensors {
  readonly state: StateDict;
  readonly metadata: SafetensorsMetadata;
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, reason: string) {
  return userError(`${path} is no usable safetensors file: ${reason}. Download or save it again.`);
}

async function readHeaderJson(handle: FileHandle, path: string, size: number) {
  if (size < headerLengthBytes) throw invalid(path, 'it is shorter than a header');
  const short = () => invalid(path, 'it ends too early');
  const lengthBytes = await readBytes(handle, 0, headerLengthBytes, short);
  const length = Number(new DataView(lengthBytes.buffer).getBigUint64(0, true));
  if (length > maximumHeaderBytes || length > size - headerLengthBytes) {
    throw invalid(path, 'its first 8 bytes are not the length of a header');
  }
  const bytes = await readBytes(handle, headerLengthBytes, length, short);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid(path, 'its header is not JSON');
  }
  if (!isObject(json)) throw invalid(path, 'its header is not a JSON object');
  return { json, dataStart: headerLengthBytes + length };
}

function metadataOf(path: string, json: JsonObject): SafetensorsMetadata {
  const metadata = Object.hasOwn(json, '__metadata__') ? json['__metadata__'] : {};
  if (!isObject(metadata)) throw invalid(path, '`__metadata__` is not an object');
  const strings = new Map<string, string>();
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw invalid(path, `the metadata \`${key}\` is not a string`);
    strings.set(key, value);
  }
  return Object.fromEntries(strings);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function entryOf(path: string, name: string, value: unknown): SafetensorsEntry {
  if (!isObject(value)) throw invalid(path, `the entry \`${name}\` is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw invalid(path, `\`${name}\` has no type`);
  const type = Object.hasOwn(elementTypes, dtype) ? elementTypes[dtype] : undefined;
  if (!type) {
    throw userError(
      `${path} holds \`${name}\` as ${dtype}, which cannot be read here: save it as F32, F16 or BF16 instead.`,
    );
  }
  if (!Array.isArray(shape) || shape.length > maximumDimensions || !shape.every(isSize)) {
    throw invalid(path, `the shape of \`${name}\` is not a list of sizes`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw invalid(path, `the offsets of \`${name}\` are not two numbers`);
  }
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== elementCount(shape) * elementBytes[type]) {
    throw invalid(path, `the offsets of \`${name}\` do not fit its shape`);
  }
  return { name, type, shape, begin, end };
}

/** The format wants the data covered without holes or overlaps, which also rules out every offset out of range. */
function checkCoverage(path: string, entries: readonly SafetensorsEntry[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw invalid(path, `\`${name}\` overlaps another tensor or leaves a hole`);
    covered = end;
  }
  if (covered > dataBytes) throw invalid(path, 'it ends too early');
  if (covered < dataBytes) throw invalid(path, 'it holds bytes that belong to no tensor');
}

function headerOf(path: string, json: JsonObject, dataStart: number, size: number): SafetensorsHeader {
  const entries = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => entryOf(path, name, value));
  checkCoverage(path, entries, size - dataStart);
  return { metadata: metadataOf(path, json), entries, dataStart };
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
  return withFile(path, async (handle, size) => {
    const short = () => invalid(path, 'it ends too early');
    const leading = await readBytes(handle, 0, Math.min(size, leadingBytes), short);
    const header = new TextDecoder().decode(leading.subarray(headerLengthBytes));
    return leadingMetadataOf(path, header) ?? metadataOf(path, (await readHeaderJson(handle, path, size)).json);
  });
}

/** Names, types, shapes and places of all tensors, checked against each other and the file's size; no data is read. */
export function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, async (handle, size) => {
    const { json, dataStart } = await readHeaderJson(handle, path, size);
    return headerOf(path, json, dataStart, size);
  });
}

/**
 * A whole file: half precision and float64 become float32, integers int64. Each tensor is read straight into the
 * memory that it keeps. Throws a user error where the file cannot be opened, or claims what it does not hold.
 * Format: https://huggingface.co/docs/safetensors
 */
export function readSafetensors(path: string): Promise<Safetensors> {
  return withFile(path, async (handle, size) => {
    const { json, dataStart } = await readHeaderJson(handle, path, size);
    const header = headerOf(path, json, dataStart, size);
    const state = new Map<string, Tensor>();
    for (const { name, type, shape, begin, end } of header.entries) {
      const short = () => invalid(path, 'it ends too early');
      const bytes = await readBytes(handle, dataStart + begin, end - begin, short);
      state.set(name, tensorFromBytes(type, shape, bytes));
    }
    return { state, metadata: header.metadata };
  });
}

/** Tensors of wide elements come first, so that each lies aligned, which torch's loader needs. */
function layOut(state: StateDict) {
  const offsets = new Map<string, readonly [number, number]>();
  let end = 0;
  const order = [...state].toSorted(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  for (const [name, { data }] of order) offsets.set(name, [end, (end += data.byteLength)]);
  return { offsets, order };
}

function encodeHeader(state: StateDict, metadata: SafetensorsMetadata, offsets: ReadonlyMap<string, unknown>) {
  const entries = [...state].map(([name, { dtype, shape }]) => {
    if (name === '__metadata__') throw new Error('no tensor may be named __metadata__');
    return [name, { dtype: writtenTypes[dtype], shape, data_offsets: offsets.get(name) }] as const;
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries])));
  const length = Math.ceil(json.byteLength / dataAlignment) * dataAlignment;
  if (length > maximumHeaderBytes) throw userError('The names and metadata are too long for a safetensors file.');
  const header = new Uint8Array(headerLengthBytes + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, headerLengthBytes);
  return header;
}

async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const part = bytes.subarray(done, done + partBytes);
    done += (await handle.write(part, 0, part.byteLength)).bytesWritten;
  }
}

/** One file for `writeAtomically`, so that several can be written as one. */
export function safetensorsFile(path: string, state: StateDict, metadata: SafetensorsMetadata = {}): FileToWrite {
  return {
    path,
    write: async (handle) => {
      const { offsets, order } = layOut(state);
      await writeFully(handle, encodeHeader(state, metadata, offsets));
      for (const [, { data }] of order) {
        await writeFully(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
    },
  };
}

/**
 * Writes a state dict in the ordinary format (F32, I64, U8): to a temporary name, flushed, renamed. The header lists
 * the tensors in the state dict's order. Throws a user error where the disk refuses.
 */
export function writeSafetensors(path: string, state: StateDict, metadata: SafetensorsMetadata = {}): Promise<void> {
  return writeAtomically([safetensorsFile(path, state, metadata)]);
}
