import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { float32Value, type OnnxModel } from '../../onnx/onnxModel.ts';
import { onnxOpset } from '../../lowering/writeOnnx.ts';
import type { Library } from './capi/library.ts';
import { loadRuntime } from './loadRuntime.ts';
import { createSession, guarded } from './session.ts';

export function isOnDevice(tensor: OrtTensor): boolean {
  return tensor.location === 'gpu-buffer';
}

/** The same values in another shape, over the same memory; on a device the tensor given goes on owning it. */
export function reshaped(tensor: OrtTensor, shape: readonly number[]): OrtTensor {
  if (!isOnDevice(tensor)) return tensor.reshape(shape);
  return loadRuntime().Tensor.fromGpuBuffer(tensor.gpuBuffer, { dataType: 'float32', dims: shape });
}

/**
 * The same tensors, those that are on the device brought back as rows: by a model, because a tensor's own `getData` ends
 * the process. `library` is what the training runs through on the CPU.
 */
export async function fetchTensors(
  tensors: ReadonlyMap<string, OrtTensor>,
  device: string,
  library?: Library,
): Promise<ReadonlyMap<string, OrtTensor>> {
  const away = [...tensors].filter(([, tensor]) => isOnDevice(tensor));
  if (away.length === 0) return tensors;
  const session = await createSession(writeCopies(away), device, 'inference', { library });
  try {
    const rows = away.map(([name, tensor]) => [name, reshaped(tensor, [tensor.size])] as const);
    const copies = await guarded(device, () => session.run(Object.fromEntries(rows), session.outputNames));
    return new Map([...tensors].map(([name, tensor]) => [name, copies[copyName(name)] ?? tensor]));
  } finally {
    await session.release();
  }
}

function copyName(name: string): string {
  return `${name} copy`;
}

/** A model that copies each of the tensors, as a row. */
function writeCopies(tensors: readonly (readonly [string, OrtTensor])[]): OnnxModel {
  return {
    irVersion: 8,
    opsetImport: [{ domain: '', version: onnxOpset }],
    graph: {
      name: 'copies',
      node: tensors.map(([name]) => ({ opType: 'Identity', input: [name], output: [copyName(name)] })),
      input: tensors.map(([name, { size }]) => float32Value(name, [size])),
      output: tensors.map(([name, { size }]) => float32Value(copyName(name), [size])),
    },
  };
}
