import type { FileHandle } from 'node:fs/promises';
import { userError } from '../../protocol/errors.ts';
import { type Write, writeAtomically } from '../../runs/atomicFile.ts';
import { headerLimit, partBytes, readBytes, withRegularFile } from '../../runs/boundedFile.ts';
import {
  headerLengthBytes,
  invalidSafetensors,
  isObject,
  type JsonObject,
  metadataOf,
  readHeaderJson,
  type SafetensorsMetadata,
} from '../../runs/safetensorsHeader.ts';
import { elementCount, type StateDict, type Tensor } from '../graph/tensor.ts';
import type { TensorForms } from './applyWeights.ts';
import { elementBytes, type ElementType, tensorFromBytes, tensorTypes } from './elementTypes.ts';

const maximumDimensions = 64;
const dataAlignment = 8;
/** Bytes that are copied at a time. */
const copiedBytes = 16 * 1024 * 1024;

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

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function entryOf(path: string, name: string, value: unknown): SafetensorsEntry {
  if (!isObject(value)) throw invalidSafetensors(path, `the entry \`${name}\` is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw invalidSafetensors(path, `\`${name}\` has no type`);
  const type = Object.hasOwn(elementTypes, dtype) ? elementTypes[dtype] : undefined;
  if (!type) {
    throw userError(
      `${path} holds \`${name}\` as ${dtype}, which cannot be read here: save it as F32, F16 or BF16 instead.`,
    );
  }
  if (!Array.isArray(shape) || shape.length > maximumDimensions || !shape.every(isSize)) {
    throw invalidSafetensors(path, `the shape of \`${name}\` is not a list of sizes`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw invalidSafetensors(path, `the offsets of \`${name}\` are not two numbers`);
  }
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== elementCount(shape) * elementBytes[type]) {
    throw invalidSafetensors(path, `the offsets of \`${name}\` do not fit its shape`);
  }
  return { name, type, shape, begin, end };
}

/** The format wants the data covered without holes or overlaps, which also rules out every offset out of range. */
function checkCoverage(path: string, entries: readonly SafetensorsEntry[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw invalidSafetensors(path, `\`${name}\` overlaps another tensor or leaves a hole`);
    covered = end;
  }
  if (covered > dataBytes) throw invalidSafetensors(path, 'it ends too early');
  if (covered < dataBytes) throw invalidSafetensors(path, 'it holds bytes that belong to no tensor');
}

function headerOf(path: string, json: JsonObject, dataStart: number, size: number): SafetensorsHeader {
  const entries = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => entryOf(path, name, value));
  checkCoverage(path, entries, size - dataStart);
  return { metadata: metadataOf(path, json), entries, dataStart };
}

/** Names, types, shapes and places of all tensors, checked against each other and the file's size; no data is read. */
export function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withRegularFile(path, async (handle, size) => {
    const { json, dataStart } = await readHeaderJson(handle, path, size);
    return headerOf(path, json, dataStart, size);
  });
}

/**
 * The metadata of a file and the tensors, all or those that `choose` wants by what the header says, in its order: half precision and float64 become float32, integers int64. Nothing is read before `choose` has seen it, and each
 * tensor straight into the memory that it keeps. Throws a user error where the file cannot be opened, or claims what it
 * does not hold, and what `choose` throws.
 * Format: https://huggingface.co/docs/safetensors
 */
export function readSafetensors(
  path: string,
  choose: (forms: TensorForms, metadata: SafetensorsMetadata) => Iterable<string> = (forms) => forms.keys(),
): Promise<Safetensors> {
  return withRegularFile(path, async (handle, size) => {
    const { json, dataStart } = await readHeaderJson(handle, path, size);
    const { entries, metadata } = headerOf(path, json, dataStart, size);
    const forms = new Map(entries.map(({ name, type, shape }) => [name, { dtype: tensorTypes[type], shape }] as const));
    const chosen = new Set(choose(forms, metadata));
    const state = new Map<string, Tensor>();
    for (const { name, type, shape, begin, end } of entries.filter(({ name }) => chosen.has(name))) {
      const short = () => invalidSafetensors(path, 'it ends too early');
      const bytes = await readBytes(handle, dataStart + begin, end - begin, short);
      state.set(name, tensorFromBytes(type, shape, bytes));
    }
    return { state, metadata };
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
  return headerBytes(entries, metadata);
}

function headerBytes(entries: readonly (readonly [string, unknown])[], metadata: SafetensorsMetadata): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries])));
  const length = Math.ceil(json.byteLength / dataAlignment) * dataAlignment;
  if (length > headerLimit.bytes) throw userError('The names and metadata are too long for a safetensors file.');
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

/** Writes a state dict in the ordinary format (F32, I64, U8); the header lists the tensors in the state dict's order. */
export function safetensorsContent(state: StateDict, metadata: SafetensorsMetadata = {}): Write {
  return async (handle) => {
    const { offsets, order } = layOut(state);
    await writeFully(handle, encodeHeader(state, metadata, offsets));
    for (const [, { data }] of order) {
      await writeFully(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  };
}

/** Writes a state dict as a file that appears whole or not at all. Throws a user error where the disk refuses. */
export function writeSafetensors(path: string, state: StateDict, metadata: SafetensorsMetadata = {}): Promise<void> {
  return writeAtomically(path, safetensorsContent(state, metadata));
}

/**
 * Writes a file anew with other metadata and the same tensors, byte for byte; it appears whole or not at all. `change` gets
 * what the file says at that moment, and may throw to leave it as it is. Throws a user error where the file cannot be read
 * or the disk refuses.
 */
export function changeSafetensorsMetadata(
  path: string,
  change: (metadata: SafetensorsMetadata) => SafetensorsMetadata,
): Promise<void> {
  return writeAtomically(path, (written) =>
    withRegularFile(path, async (handle, size) => {
      const { json, dataStart } = await readHeaderJson(handle, path, size);
      const entries = Object.entries(json).filter(([name]) => name !== '__metadata__');
      await writeFully(written, headerBytes(entries, change(metadataOf(path, json))));
      for (let at = dataStart; at < size; at += copiedBytes) {
        const short = () => invalidSafetensors(path, 'it ends too early');
        await writeFully(written, await readBytes(handle, at, Math.min(copiedBytes, size - at), short));
      }
    }),
  );
}
