import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { loadRuntime } from '../loadRuntime.ts';
import { elementTypes } from './functions.ts';
import type { Library } from './library.ts';
import type { ElementType } from './memory.ts';

/** Where a tensor's values are on a card. */
export interface CardMemory {
  readonly address: bigint;
  readonly bytes: number;
}

/** Throws for a type that our tensors do not have. */
function elementTypeOf({ type }: OrtTensor): ElementType {
  if (type in elementTypes) return type as ElementType;
  throw new Error(`unexpected element type ${type}`);
}

/** The type that a model or the library names by a number. Throws as `elementTypeOf` does. */
export function elementTypeOfCode(code: number | undefined): ElementType {
  const type = (Object.keys(elementTypes) as ElementType[]).find((known) => elementTypes[known] === code);
  if (!type) throw new Error(`unexpected element type ${String(code)}`);
  return type;
}

/** A handle on a value of the tensor's type and shape over memory that it does not own. */
export function valueOver(library: Library, tensor: OrtTensor, data: NodeJS.TypedArray | CardMemory): bigint {
  const { memoryInfo, card = memoryInfo } = library;
  const shape = BigInt64Array.from(tensor.dims, BigInt);
  const place =
    'buffer' in data ? ([memoryInfo, data, data.byteLength] as const) : ([card, data.address, data.bytes] as const);
  const type = elementTypes[elementTypeOf(tensor)];
  return library.made('CreateTensorWithDataAsOrtValue', ...place, shape, shape.length, type);
}

/** The values behind a handle in memory of their own. */
export function copyOf(library: Library, handle: bigint): OrtTensor {
  const { type, dims } = described(library, handle);
  const data = library.copyOf(library.made('GetTensorMutableData', handle), copied[type], countOf(dims));
  return new (loadRuntime().Tensor)(type, data as Float32Array, dims);
}

const copied = {
  float32: 'float',
  float64: 'double',
  int8: 'int8',
  uint8: 'uint8',
  bool: 'uint8',
  int32: 'int32',
  int64: 'int64',
} as const;

/**
 * The values behind a handle, left where they are: a tensor of the kind `gpu-buffer`, whose `gpuBuffer` is the place. The
 * handle is the tensor's from here on, which releases it when it is disposed of.
 */
export function tensorOnCard(library: Library, handle: bigint): OrtTensor {
  const { type, dims } = described(library, handle);
  if (type !== 'float32') throw new Error(`a value of the type ${type} cannot stay on a card`);
  return tensorAt(library.made('GetTensorMutableData', handle), dims, () => library.release('ReleaseValue', handle));
}

/** A tensor over memory on a card, which `dispose` lets go of. */
export function tensorAt(address: bigint, dims: readonly number[], dispose?: () => void): OrtTensor {
  const place: CardMemory = { address, bytes: countOf(dims) * Float32Array.BYTES_PER_ELEMENT };
  return loadRuntime().Tensor.fromGpuBuffer(place as unknown as OrtTensor.GpuBufferType, {
    dataType: 'float32',
    dims,
    ...(dispose && { dispose }),
  });
}

/** Where a tensor's values are, if they are on a card. */
export function cardMemoryOf(tensor: OrtTensor): CardMemory | undefined {
  return tensor.location === 'gpu-buffer' ? (tensor.gpuBuffer as unknown as CardMemory) : undefined;
}

function countOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** Type and shape of a value. Throws for a type that our tensors do not have. */
function described({ made, call, release }: Library, handle: bigint): { type: ElementType; dims: number[] } {
  const info = made('GetTensorTypeAndShape', handle);
  try {
    const type = elementTypeOfCode(Number(made('GetTensorElementType', info) & 0xffffffffn));
    const shape = new BigInt64Array(Number(made('GetDimensionsCount', info)));
    call('GetDimensions', info, shape, shape.length);
    return { type, dims: Array.from(shape, Number) };
  } finally {
    release('ReleaseTensorTypeAndShapeInfo', info);
  }
}
