import type { Library } from './library.ts';

/** Arrays that our tensors are of, by type. */
const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;
export type ElementType = keyof typeof arrays;

/** Vectors of the widest kind lie in one line of the cache each. */
const alignment = 64;

const own = new WeakSet<ArrayBufferLike>();

/** Memory that nobody but the engine has: it can be read and written in another thread. Filled with zeros. */
export function allocate(library: Library, type: ElementType, count: number): NodeJS.TypedArray {
  const bytes = count * arrays[type].BYTES_PER_ELEMENT;
  const buffer = new ArrayBuffer(bytes + alignment);
  own.add(buffer);
  const past = Number(library.addressOf(new Uint8Array(buffer)) % BigInt(alignment));
  return new arrays[type](buffer, past === 0 ? 0 : alignment - past, count);
}

/** Says of memory that nobody has it but the engine. */
export function keepAsOwn({ buffer }: NodeJS.TypedArray): void {
  own.add(buffer);
}

/**
 * Whether nobody but the engine has this memory. What belongs to others may be written over or handed to another thread, and
 * so be gone, before a run has read it.
 */
export function isOwn({ buffer }: NodeJS.TypedArray): boolean {
  return own.has(buffer);
}

/** A copy of the values in memory that nobody but the engine has: taken from `spare` if there is any of this type and size. */
export function copyInOwnMemory(
  library: Library,
  type: ElementType,
  data: NodeJS.TypedArray,
  spare: NodeJS.TypedArray[] = [],
): NodeJS.TypedArray {
  const at = spare.findIndex((memory) => memory instanceof arrays[type] && memory.length === data.length);
  const copy = (at < 0 ? undefined : spare.splice(at, 1)[0]) ?? allocate(library, type, data.length);
  new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength).set(
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return copy;
}
