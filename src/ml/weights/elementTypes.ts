import type { DataType, Tensor } from '../graph/tensor.ts';

/** Types of elements that weight files may hold. */
export type ElementType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** Bytes of one element. */
export const elementBytes: Readonly<Record<ElementType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** What a tensor of a type becomes: floats float32, integers int64, bytes and truth values uint8. */
export const tensorTypes: Readonly<Record<ElementType, DataType>> = {
  float64: 'float32',
  float32: 'float32',
  float16: 'float32',
  bfloat16: 'float32',
  int64: 'int64',
  int32: 'int64',
  int16: 'int64',
  int8: 'int64',
  uint8: 'uint8',
  bool: 'uint8',
};

/** A half-precision number (IEEE 754 binary16, given as its 16 bits) as a number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 is the upper half of a float32, so the bits only move. */
function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) words[index] = (halves[index] ?? 0) << 16;
  return new Float32Array(words.buffer);
}

/**
 * Little-endian elements as a tensor of the type that `tensorTypes` says. Takes `bytes` over without a copy where the type already is one of a tensor's and the bytes lie aligned in memory.
 * `bytes` must hold exactly `shape`'s elements.
 */
export function tensorFromBytes(type: ElementType, shape: readonly number[], bytes: Uint8Array): Tensor {
  const size = elementBytes[type];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const length = aligned.byteLength / size;
  const float32 = (data: Float32Array): Tensor => ({ dtype: 'float32', shape, data });
  const int64 = (values: Iterable<number>): Tensor => ({
    dtype: 'int64',
    shape,
    data: BigInt64Array.from(values, BigInt),
  });
  switch (type) {
    case 'float32':
      return float32(new Float32Array(buffer, byteOffset, length));
    case 'float64':
      return float32(Float32Array.from(new Float64Array(buffer, byteOffset, length)));
    case 'float16':
      return float32(Float32Array.from(new Uint16Array(buffer, byteOffset, length), halfToNumber));
    case 'bfloat16':
      return float32(bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, length)));
    case 'int64':
      return { dtype: 'int64', shape, data: new BigInt64Array(buffer, byteOffset, length) };
    case 'int32':
      return int64(new Int32Array(buffer, byteOffset, length));
    case 'int16':
      return int64(new Int16Array(buffer, byteOffset, length));
    case 'int8':
      return int64(new Int8Array(buffer, byteOffset, length));
    case 'uint8':
    case 'bool':
      return { dtype: 'uint8', shape, data: aligned };
  }
}
