import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { messageOf, UserError, userError } from '../../protocol/errors.ts';
import { readBytes, withRegularFile } from '../../runs/boundedFile.ts';
import { elementCount, type StateDict, type Tensor } from '../graph/tensor.ts';
import { elementBytes, type ElementType, tensorFromBytes } from './elementTypes.ts';
import { isInert, PickleError, type PickleHooks, type PickleValue, unpickle } from './pickle.ts';

/** A stretch of elements in the file. */
export interface TorchStorage {
  readonly kind: 'storage';
  readonly key: string;
  readonly type: ElementType;
  readonly elements: number;
  /** Where this storage starts within the one that the file holds under `key`, in elements. */
  readonly viewOffset: number;
}

/** A tensor that has not been read yet. Offset and strides are in elements. */
export interface TorchTensor {
  readonly kind: 'tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Plain values and containers; what is neither, nor a tensor, is inert. */
export type TorchValue = PickleValue<TorchStorage | TorchTensor>;

/** A file that `torch.save` wrote, open for as long as `withTorchFile` runs. */
export interface TorchFile {
  readonly path: string;
  readonly root: TorchValue;
  /** Reads tensors, in the order given. */
  readonly load: (tensors: ReadonlyMap<string, TorchTensor>) => Promise<StateDict>;
}

/** Where in the file the bytes of a storage, or a pickle, lie. */
interface FileRange {
  readonly position: number;
  readonly bytes: number;
}

/** What is pickled besides the tensors' data; far more than any checkpoint needs. */
const maximumPickleBytes = 64 * 1024 * 1024;
const maximumZipEntries = 1_000_000;
const maximumDimensions = 64;
/** Tensors may share storage, but what they take together must stay near to the file's own size. */
const maximumExpansion = 4;
/** A tensor may be a view that steps over what it does not hold, up to this many times its own elements. */
const maximumSpread = 64;
const legacyMagic = 0x1950a86a20f9469cfc6cn;
const zipMagic = 0x04034b50;

/** By the class's last name: `torch.FloatStorage`, `torch.cuda.FloatStorage`, ... */
const storageTypes: Readonly<Record<string, ElementType>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};

function invalid(path: string, reason: string): UserError {
  return userError(`${path} is not a usable torch file: ${reason}. Download it again, or save it again in Python.`);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isTorchTensor(value: unknown): value is TorchTensor {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'tensor';
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'storage';
}

function tensorOf(parameters: readonly TorchValue[]): TorchTensor | undefined {
  const [storage, offset, shape, strides] = parameters;
  if (!isStorage(storage) || !isSize(offset) || !Array.isArray(shape) || !Array.isArray(strides)) return undefined;
  if (shape.length > maximumDimensions || shape.length !== strides.length) return undefined;
  if (!shape.every(isSize) || !strides.every(isSize)) return undefined;
  return { kind: 'tensor', storage, offset, shape, strides };
}

function orderedDict([pairs]: readonly TorchValue[]): TorchValue {
  const map = new Map<TorchValue, TorchValue>();
  if (!Array.isArray(pairs)) return map;
  for (const pair of pairs) if (Array.isArray(pair) && pair.length === 2) map.set(pair[0] ?? null, pair[1] ?? null);
  return map;
}

/** The few callables that make tensors and plain containers; none of them is Python's own. */
const calls: Readonly<Record<string, (parameters: readonly TorchValue[]) => TorchValue | undefined>> = {
  'torch._utils._rebuild_tensor': tensorOf,
  'torch._utils._rebuild_tensor_v2': tensorOf,
  'torch._utils._rebuild_parameter': ([data]) => data,
  'torch._utils._rebuild_parameter_with_state': ([data]) => data,
  'torch._tensor._rebuild_from_type_v2': ([callable, , parameters]) =>
    isInert(callable) && callable.inert.startsWith('torch._utils._rebuild_tensor') && Array.isArray(parameters)
      ? tensorOf(parameters)
      : undefined,
  'collections.OrderedDict': orderedDict,
  'collections.defaultdict': () => new Map(),
  'builtins.set': ([values]) => new Set(Array.isArray(values) ? values : []),
  '__builtin__.set': ([values]) => new Set(Array.isArray(values) ? values : []),
};

function makeCall(name: string, parameters: readonly TorchValue[]): TorchValue | undefined {
  return Object.hasOwn(calls, name) ? calls[name]?.(parameters) : undefined;
}

/** `('storage', type, key, location, elements, view?)`, in both formats; a view is `(key, offset, elements)`. */
function storageOf(path: string, id: TorchValue): TorchValue {
  if (!Array.isArray(id) || id[0] !== 'storage') return { inert: 'a persistent id' };
  const [, type, key, , elements, view] = id;
  const typeName = isInert(type) ? type.inert : '';
  const elementType = storageTypes[typeName.slice(typeName.lastIndexOf('.') + 1)];
  if (!elementType) {
    throw userError(`${path} holds numbers as ${typeName || 'an unnamed type'}: save them as float32 in Python.`);
  }
  if (typeof key !== 'string' || !isSize(elements)) throw invalid(path, 'a storage has no key or size');
  const storage = { kind: 'storage', key, type: elementType, elements, viewOffset: 0 } as const;
  if (!Array.isArray(view)) return storage;
  const [, viewOffset, viewElements] = view;
  if (!isSize(viewOffset) || !isSize(viewElements)) throw invalid(path, 'a view of a storage has no place');
  return { ...storage, elements: viewElements, viewOffset };
}

function isContiguous({ shape, strides }: TorchTensor): boolean {
  let expected = 1;
  return shape.toReversed().every((size, index) => {
    const stride = strides[shape.length - 1 - index];
    const fits = size === 1 || stride === expected;
    expected *= size;
    return fits;
  });
}

/** Elements from a tensor's first to its last in storage. */
function spanOf({ shape, strides }: TorchTensor): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, size, axis) => span + (size - 1) * (strides[axis] ?? 0), 1);
}

/** The tensor whose elements lie in `flat` at the given strides, in row-major order. */
function gathered(flat: Tensor, { shape, strides }: TorchTensor): Tensor {
  const count = elementCount(shape);
  const sources = new Float64Array(count);
  const index = shape.map(() => 0);
  for (let element = 0, source = 0; element < count; element++) {
    sources[element] = source;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = (index[axis] ?? 0) + 1;
      const stride = strides[axis] ?? 0;
      source += stride;
      index[axis] = at;
      if (at < (shape[axis] ?? 0)) break;
      source -= at * stride;
      index[axis] = 0;
    }
  }
  switch (flat.dtype) {
    case 'float32':
      return { dtype: 'float32', shape, data: Float32Array.from(sources, (source) => flat.data[source] ?? 0) };
    case 'uint8':
      return { dtype: 'uint8', shape, data: Uint8Array.from(sources, (source) => flat.data[source] ?? 0) };
    case 'int64': {
      const data = new BigInt64Array(count);
      sources.forEach((source, element) => (data[element] = flat.data[source] ?? 0n));
      return { dtype: 'int64', shape, data };
    }
  }
}

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly size: number;
}

async function loadTensor(file: OpenFile, name: string, tensor: TorchTensor, place: FileRange): Promise<Tensor> {
  const { path, handle } = file;
  const { storage, offset, shape } = tensor;
  const size = elementBytes[storage.type];
  const span = spanOf(tensor);
  const begin = (storage.viewOffset + offset) * size;
  if (offset + span > storage.elements || begin + span * size > place.bytes) {
    throw invalid(path, `\`${name}\` reaches beyond its storage`);
  }
  const short = () => invalid(path, 'it ends too early');
  const bytes = await readBytes(handle, place.position + begin, span * size, short);
  if (isContiguous(tensor)) return tensorFromBytes(storage.type, shape, bytes);
  return gathered(tensorFromBytes(storage.type, [span], bytes), tensor);
}

async function loadTensors(
  file: OpenFile,
  tensors: ReadonlyMap<string, TorchTensor>,
  placeOf: (key: string) => Promise<FileRange | undefined>,
): Promise<StateDict> {
  const state = new Map<string, Tensor>();
  let bytes = 0;
  for (const [name, tensor] of tensors) {
    const { storage, shape } = tensor;
    const place = await placeOf(storage.key);
    if (!place) throw invalid(file.path, `the data of \`${name}\` is missing`);
    if (elementCount(shape) > storage.elements) {
      throw invalid(file.path, `\`${name}\` claims more elements than its storage has`);
    }
    if (spanOf(tensor) > maximumSpread * elementCount(shape)) {
      throw invalid(file.path, `\`${name}\` holds hardly anything of its storage`);
    }
    bytes += Math.max(elementCount(shape), spanOf(tensor)) * elementBytes[storage.type];
    if (bytes > maximumExpansion * file.size) throw invalid(file.path, 'its tensors claim more than the file holds');
    state.set(name, await loadTensor(file, name, tensor, place));
  }
  return state;
}

function hooksFor(path: string): PickleHooks<TorchStorage | TorchTensor> {
  return { call: makeCall, persistent: (id) => storageOf(path, id) };
}

/** yauzl's own reader of a file throws where nobody catches it when an archive names a place beyond 2^53. */
class ArchiveReader extends RandomAccessReader {
  private readonly handle: FileHandle;
  constructor(handle: FileHandle) {
    super();
    this.handle = handle;
  }
  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.handle.read(buffer, offset, length, position).then(
      ({ bytesRead }) => done(null, bytesRead),
      (error: unknown) => done(new Error(messageOf(error))),
    );
  }
  override _readStreamForRange(start: number, end: number): Readable {
    return this.handle.createReadStream({ start, end: end - 1, autoClose: false });
  }
}

/** The places of all entries of a zip archive by name, without any name's first folder, which is the archive's own. */
async function zipPlaces(path: string, zip: ZipFile): Promise<Map<string, () => Promise<FileRange>>> {
  const places = new Map<string, () => Promise<FileRange>>();
  if (zip.entryCount > maximumZipEntries) throw invalid(path, 'its archive has too many entries');
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName.slice(entry.fileName.indexOf('/') + 1);
    if (places.has(name)) throw invalid(path, `its archive has two files named ${name}`);
    places.set(name, async () => {
      if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
        throw invalid(path, 'its archive was packed by another program, which torch itself does not do');
      }
      const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      return { position: fileDataStart, bytes: entry.compressedSize };
    });
  }
  return places;
}

async function readPickleAt(file: OpenFile, place: FileRange): Promise<Uint8Array> {
  if (place.bytes > maximumPickleBytes) throw invalid(file.path, 'its pickle is too large');
  return readBytes(file.handle, place.position, place.bytes, () => invalid(file.path, 'it ends too early'));
}

/** `archive/data.pkl`, `archive/data/<key>`, and since torch 2 `archive/byteorder`. */
async function openZip(file: OpenFile): Promise<TorchFile> {
  const { path } = file;
  const reader = new ArchiveReader(file.handle);
  const zip = await fromRandomAccessReaderPromise(reader, file.size, { autoClose: false, lazyEntries: true });
  const places = await zipPlaces(path, zip);
  const pickle = await places.get('data.pkl')?.();
  if (!pickle) throw invalid(path, 'its archive has no data.pkl');
  const order = await places.get('byteorder')?.();
  if (order && new TextDecoder().decode(await readPickleAt(file, order)).trim() !== 'little') {
    throw invalid(path, 'it was written on a big-endian machine');
  }
  const { value } = unpickle(await readPickleAt(file, pickle), hooksFor(path));
  return {
    path,
    root: value,
    load: (tensors) => loadTensors(file, tensors, async (key) => places.get(`data/${key}`)?.()),
  };
}

/** The storages follow each other behind the pickles: the number of elements in 8 bytes, then the elements. */
async function legacyPlaces(
  file: OpenFile,
  keys: readonly TorchValue[],
  types: ReadonlyMap<string, ElementType>,
  start: number,
): Promise<Map<string, FileRange>> {
  const places = new Map<string, FileRange>();
  let position = start;
  for (const key of keys) {
    const type = typeof key === 'string' ? types.get(key) : undefined;
    if (typeof key !== 'string' || !type) throw invalid(file.path, 'it lists a storage that it never mentions');
    const count = await readBytes(file.handle, position, 8, () => invalid(file.path, 'it ends too early'));
    const bytes = Number(new DataView(count.buffer).getBigInt64(0, true)) * elementBytes[type];
    position += 8;
    if (bytes < 0 || bytes > file.size - position) throw invalid(file.path, 'it ends too early');
    places.set(key, { position, bytes });
    position += bytes;
  }
  return places;
}

/** Before torch 1.6: magic number, version, a description of the machine, the object, the storages' keys, the storages. */
async function openLegacy(file: OpenFile): Promise<TorchFile> {
  const { path, handle, size } = file;
  const length = Math.min(size, maximumPickleBytes);
  const bytes = await readBytes(handle, 0, length, () => invalid(path, 'it ends too early'));
  const types = new Map<string, ElementType>();
  const hooks = hooksFor(path);
  const persistent = (id: TorchValue) => {
    const storage = hooks.persistent(id);
    if (isStorage(storage)) types.set(storage.key, storage.type);
    return storage;
  };
  const magic = unpickle(bytes, hooks);
  if (magic.value !== legacyMagic) throw invalid(path, 'it starts with neither of the two marks that torch writes');
  const version = unpickle(bytes, hooks, magic.end);
  const machine = unpickle(bytes, hooks, version.end);
  if (machine.value instanceof Map && machine.value.get('little_endian') === false) {
    throw invalid(path, 'it was written on a big-endian machine');
  }
  const root = unpickle(bytes, { call: hooks.call, persistent }, machine.end);
  const keys = unpickle(bytes, hooks, root.end);
  if (!Array.isArray(keys.value)) throw invalid(path, 'it has no list of storages');
  const places = await legacyPlaces(file, keys.value, types, keys.end);
  return {
    path,
    root: root.value,
    load: (tensors) => loadTensors(file, tensors, (key) => Promise.resolve(places.get(key))),
  };
}

async function openTorchFile(file: OpenFile): Promise<TorchFile> {
  const short = () => invalid(file.path, 'it ends too early');
  const start = await readBytes(file.handle, 0, Math.min(4, file.size), short);
  const isZip = start.byteLength === 4 && new DataView(start.buffer).getUint32(0, true) === zipMagic;
  return isZip ? openZip(file) : openLegacy(file);
}

/**
 * Opens a file that `torch.save` wrote, in the zip format or the one before torch 1.6, for as long as `use` runs. Nothing
 * that the file names is run or looked up. Throws a user error for files that are cut short, claim what they do not
 * hold, or are none of torch's.
 */
export function withTorchFile<Result>(path: string, use: (file: TorchFile) => Promise<Result>): Promise<Result> {
  return withRegularFile(path, async (handle, size) => {
    try {
      return await use(await openTorchFile({ path, handle, size }));
    } catch (error) {
      // What is no user error here is a complaint of the pickle's or of the archive's reader about the file.
      if (error instanceof UserError) throw error;
      throw invalid(path, error instanceof PickleError ? error.message : `its archive is damaged, ${messageOf(error)}`);
    }
  });
}
