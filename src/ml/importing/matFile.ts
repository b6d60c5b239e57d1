import { inflateSync } from 'node:zlib';
import { userError } from '../../protocol/errors.ts';
import { type FileLimit, readBytes, withRegularFile } from '../../runs/boundedFile.ts';

/*
 * MATLAB's files of version 5, as far as lists of numbers need it: "MAT-File Format" of MathWorks. After a header of 128
 * bytes come elements, each a type, a number of bytes, and these, filled up to a multiple of 8.
 */

const headerBytes = 128;
/** Of the file, and of all that is compressed in it together: labels of a million images. */
const fileLimit: FileLimit = { what: 'a list of labels', bytes: 8 * 2 ** 20 };

const types = { int8: 1, int32: 5, uint32: 6, matrix: 14, compressed: 15 } as const;
/** Reads a number of each numeric type, by the format's number of the type. */
const numbers: ReadonlyMap<
  number,
  { readonly bytes: number; readonly read: (view: DataView, at: number, little: boolean) => number }
> = new Map([
  // prettier-ignore
  [1, { bytes: 1, read: (view, at) => view.getInt8(at) }],
  [2, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [3, { bytes: 2, read: (view, at, little) => view.getInt16(at, little) }],
  [4, { bytes: 2, read: (view, at, little) => view.getUint16(at, little) }],
  [5, { bytes: 4, read: (view, at, little) => view.getInt32(at, little) }],
  [6, { bytes: 4, read: (view, at, little) => view.getUint32(at, little) }],
  [7, { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) }],
  [9, { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) }],
  [12, { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) }],
  [13, { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) }],
]);
/** Classes of arrays that hold plain numbers: double, single and the integers. */
const [firstNumeric, lastNumeric] = [6, 15];

interface Element {
  readonly type: number;
  readonly data: DataView;
  /** Where the next one begins. */
  readonly end: number;
}

/**
 * The lists of numbers in a MATLAB file by their names; what is not a list of numbers is passed over. Throws a user error
 * for a file that cannot be read, is of another version or damaged.
 */
export async function readMatFile(file: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const bytes = await withRegularFile(file, async (handle, size) => {
    if (size > fileLimit.bytes) throw userError(`${file} has ${size} bytes, more than ${fileLimit.what} has.`);
    return readBytes(handle, 0, size, () => userError(`${file} became shorter while it was read: try again.`));
  });
  const mark = new TextDecoder('latin1').decode(bytes.subarray(126, headerBytes));
  if (mark !== 'IM' && mark !== 'MI') {
    throw userError(`${file} is not a MATLAB file of version 5: save it with -v7 or -v6, or by scipy.io.savemat.`);
  }
  const isLittle = mark === 'IM';
  try {
    const lists = new Map<string, readonly number[]>();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let left = fileLimit.bytes;
    const inflated = ({ buffer, byteOffset, byteLength }: DataView): DataView => {
      const content = inflateSync(new Uint8Array(buffer, byteOffset, byteLength), { maxOutputLength: left });
      left -= content.byteLength;
      return new DataView(content.buffer, content.byteOffset, content.byteLength);
    };
    for (let at = headerBytes; at < view.byteLength;) {
      const element = elementAt(view, at, isLittle);
      at = element.end;
      const matrix = element.type === types.compressed ? elementAt(inflated(element.data), 0, isLittle) : element;
      const list = matrix.type === types.matrix ? listOf(matrix.data, isLittle) : undefined;
      if (list) lists.set(list.name, list.values);
    }
    return lists;
  } catch (error) {
    throw userError(`${file} is a damaged MATLAB file: save or download it again.`, error);
  }
}

/** Throws `RangeError` where the view ends before the element does. */
function elementAt(view: DataView, at: number, isLittle: boolean): Element {
  const first = view.getUint32(at, isLittle);
  const part = (type: number, from: number, length: number, end: number) => {
    return { type, data: new DataView(view.buffer, view.byteOffset + from, length), end };
  };
  const check = (from: number, length: number) => {
    if (from + length > view.byteLength) throw new RangeError('an element is cut off');
  };
  // Up to four bytes stand in the place of their number.
  const short = first >>> 16;
  if (short !== 0) {
    check(at + 4, short);
    return part(first & 0xffff, at + 4, short, at + 8);
  }
  const length = view.getUint32(at + 4, isLittle);
  check(at + 8, length);
  return part(first, at + 8, length, at + 8 + (first === types.compressed ? length : Math.ceil(length / 8) * 8));
}

/** An array of numbers: flags, sizes, name, values. Undefined for arrays of anything else. */
function listOf(matrix: DataView, isLittle: boolean): { name: string; values: number[] } | undefined {
  const flags = elementAt(matrix, 0, isLittle);
  const sizes = elementAt(matrix, flags.end, isLittle);
  const name = elementAt(matrix, sizes.end, isLittle);
  const kind = flags.data.getUint32(0, isLittle) & 0xff;
  if (flags.type !== types.uint32 || sizes.type !== types.int32 || name.type !== types.int8) {
    throw new RangeError('an array begins with something else');
  }
  if (kind < firstNumeric || kind > lastNumeric) return undefined;
  const { type, data } = elementAt(matrix, name.end, isLittle);
  const number = numbers.get(type);
  if (!number) throw new RangeError(`numbers of the unknown type ${type}`);
  const values = Array.from({ length: Math.floor(data.byteLength / number.bytes) }, (_, at) =>
    number.read(data, at * number.bytes, isLittle),
  );
  const { buffer, byteOffset, byteLength } = name.data;
  return { name: new TextDecoder('latin1').decode(new Uint8Array(buffer, byteOffset, byteLength)), values };
}
