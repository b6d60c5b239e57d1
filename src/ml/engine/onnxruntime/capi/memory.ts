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

/** Memory for so many values, filled with zeros. */
export function allocate(library: Library, type: ElementType, count: number): NodeJS.TypedArray {
  const bytes = count * arrays[type].BYTES_PER_ELEMENT;
  const buffer = new ArrayBuffer(bytes + alignment);
  const past = Number(library.addressOf(new Uint8Array(buffer)) % BigInt(alignment));
  return new arrays[type](buffer, past === 0 ? 0 : alignment - past, count);
}

/** A copy of the values in memory of its own. */
export function copyOfValues(library: Library, type: ElementType, data: NodeJS.TypedArray): NodeJS.TypedArray {
  const copy = allocate(library, type, data.length);
  new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength).set(
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return copy;
}

/** A text as the library takes it. */
export function zeroEnded(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}
