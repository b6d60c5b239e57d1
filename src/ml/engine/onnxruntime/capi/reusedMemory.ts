import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { loadRuntime } from '../loadRuntime.ts';
import type { Library } from './library.ts';
import { allocate, copyOfValues, type ElementType } from './memory.ts';

/** The memory of tensors that steps replace, which changes places with that of their successors instead of being made anew. */
export interface ReusedMemory {
  /** A copy of a tensor in memory that can be used again: its own may be a snapshot's, which somebody keeps. */
  readonly own: (tensor: OrtTensor) => OrtTensor;
  /** A row of a tensor's type and size to write its successor into, whatever is in it. */
  readonly successorOf: (tensor: OrtTensor) => OrtTensor;
  /** Takes back what none of the present tensors is in. */
  readonly takeBack: (present: Iterable<OrtTensor>) => void;
  /** Leaves a tensor's memory to somebody else: it is not written into any more. */
  readonly give: (tensor: OrtTensor) => void;
  /** Lets go of what no tensor is in; successors get memory anew. */
  readonly letGo: () => void;
}

export function createReusedMemory(library: Library): ReusedMemory {
  const inUse = new Map<NodeJS.TypedArray, string>();
  const spare = new Map<string, NodeJS.TypedArray[]>();
  const kindOf = ({ type, size }: OrtTensor) => `${type} ${size}`;
  const dataOf = (tensor: OrtTensor) => tensor.data as NodeJS.TypedArray;
  const tensorIn = (data: NodeJS.TypedArray, tensor: OrtTensor, dims: readonly number[]) => {
    inUse.set(data, kindOf(tensor));
    return new (loadRuntime().Tensor)(tensor.type, data as Float32Array, dims);
  };
  return {
    own: (tensor) => tensorIn(copyOfValues(library, tensor.type as ElementType, dataOf(tensor)), tensor, tensor.dims),
    successorOf: (tensor) => {
      const data = spare.get(kindOf(tensor))?.pop() ?? allocate(library, tensor.type as ElementType, tensor.size);
      return tensorIn(data, tensor, [tensor.size]);
    },
    takeBack: (present) => {
      const needed = new Set(Array.from(present, dataOf));
      for (const [data, kind] of inUse) {
        if (needed.has(data)) continue;
        inUse.delete(data);
        spare.set(kind, [...(spare.get(kind) ?? []), data]);
      }
    },
    give: (tensor) => void inUse.delete(dataOf(tensor)),
    letGo: () => spare.clear(),
  };
}
