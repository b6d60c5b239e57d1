import crc32 from 'crc-32';
import type { StateDict, Tensor } from '../graph/tensor.ts';
import { type Write, writeAtomically } from '../../runs/atomicFile.ts';

/*
 * What `torch.save` writes of a state dict: a zip file, nothing in it compressed, with the values pickled in `data.pkl` and
 * the bytes of each tensor in a file of its own. The pickle names `OrderedDict`, storages and torch's function that makes
 * a tensor of one, and nothing else: `torch.load(file, weights_only=True)` takes it.
 */

/** Folder of all files within the zip file. */
const archive = 'archive';
/** Bytes of tensors that fit into one: a zip file of the plain form ends at 4 GiB. */
export const mostTorchBytes = 2 ** 32 - 2 ** 20;
/** torch maps tensors into memory where they begin at multiples of this. */
const alignment = 64;

interface Entry {
  readonly name: string;
  readonly data: Uint8Array;
}

/** Writes tensors as a state dict, in their order. Throws `RangeError` for more than 4 GB, and as `writeAtomically` does. */
export async function writeTorchFile(path: string, state: StateDict): Promise<void> {
  await writeAtomically(path, torchContent(state));
}

function torchContent(state: StateDict): Write {
  const tensors = [...state.values()];
  const bytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes > mostTorchBytes)
    throw new RangeError(`${(bytes / 1e9).toFixed(1)} GB of tensors do not fit into one file`);
  const entries: Entry[] = [
    { name: `${archive}/data.pkl`, data: pickled(state) },
    { name: `${archive}/byteorder`, data: Buffer.from('little') },
    ...tensors.map(({ data }, at) => ({
      name: `${archive}/data/${at}`,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
    { name: `${archive}/version`, data: Buffer.from('3\n') },
  ];
  return async (handle) => {
    const directory: Buffer[] = [];
    let at = 0;
    const write = async (data: Uint8Array) => {
      await handle.writeFile(data);
      at += data.byteLength;
    };
    for (const entry of entries) {
      const start = at;
      const facts = factsOf(entry);
      const name = Buffer.from(entry.name);
      const filler = fillerAfter(start + localBytes + name.length);
      await write(Buffer.concat([signature(0x04034b50), facts, sizes16(name.length, filler.length), name, filler]));
      await write(entry.data);
      directory.push(directoryEntry(facts, name, start));
    }
    const start = at;
    const all = Buffer.concat(directory);
    await write(Buffer.concat([all, directoryEnd(entries.length, all.length, start)]));
  };
}

/** Bytes of a file's own header, ahead of its name. */
const localBytes = 30;

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function sizes16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, at) => bytes.writeUInt16LE(value, 2 * at));
  return bytes;
}

/** What a file's own header and the directory both say of it: stored, names in UTF-8, of the first of January 1980. */
function factsOf({ data }: Entry): Buffer {
  const bytes = Buffer.alloc(22);
  bytes.writeUInt16LE(20, 0);
  bytes.writeUInt16LE(0x0800, 2);
  bytes.writeUInt16LE(0x21, 8);
  bytes.writeInt32LE(crc32.buf(data), 10);
  bytes.writeUInt32LE(data.byteLength, 14);
  bytes.writeUInt32LE(data.byteLength, 18);
  return bytes;
}

/** An extra field after which the data begins at a multiple of `alignment`, as torch fills it. */
function fillerAfter(position: number): Buffer {
  const header = 4;
  const missing = (alignment - ((position + header) % alignment)) % alignment;
  const filler = Buffer.alloc(header + missing, 'Z');
  filler.write('FB', 'latin1');
  filler.writeUInt16LE(missing, 2);
  return filler;
}

function directoryEntry(facts: Buffer, name: Buffer, start: number): Buffer {
  const rest = Buffer.alloc(18);
  rest.writeUInt16LE(name.length, 0);
  rest.writeUInt32LE(start, 14);
  return Buffer.concat([signature(0x02014b50), sizes16(20), facts, rest, name]);
}

function directoryEnd(entries: number, bytes: number, start: number): Buffer {
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(bytes, 0);
  sizes.writeUInt32LE(start, 4);
  return Buffer.concat([signature(0x06054b50), sizes16(0, 0, entries, entries), sizes, sizes16(0)]);
}

const storages: Readonly<Record<Tensor['dtype'], string>> = {
  float32: 'FloatStorage',
  uint8: 'ByteStorage',
  int64: 'LongStorage',
};

/** The state dict in Python's pickle format, protocol 2 (PEP 307). */
function pickled(state: StateDict): Uint8Array {
  const parts: Buffer[] = [];
  const put = (...bytes: readonly (string | Buffer)[]) => {
    for (const each of bytes) parts.push(typeof each === 'string' ? Buffer.from(each, 'latin1') : each);
  };
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    put('X', size, bytes);
  };
  const whole = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    put('\x8a\x08', bytes);
  };
  const tuple = (values: readonly number[]) => {
    put('(');
    values.forEach(whole);
    put('t');
  };
  const emptyDict = 'ccollections\nOrderedDict\n)R';
  put('\x80\x02', emptyDict, '(');
  [...state].forEach(([name, { dtype, shape, data }], at) => {
    text(name);
    put('ctorch._utils\n_rebuild_tensor_v2\n((');
    text('storage');
    put(`ctorch\n${storages[dtype]}\n`);
    text(String(at));
    text('cpu');
    whole(data.length);
    put('tQ');
    whole(0);
    tuple(shape);
    tuple(stridesOf(shape));
    put('\x89', emptyDict, 'tR');
  });
  put('u.');
  return Buffer.concat(parts);
}

/** Row by row. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}
