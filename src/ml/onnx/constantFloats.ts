import type { OnnxTensor } from './onnxModel.ts';

/** The values of a float32 tensor of a model, from either of the two places that the format has for them. A copy. */
export function constantFloats({ rawData, floatData }: OnnxTensor): Float32Array {
  // The copy also lies where float32 values may lie, which a view into a file need not.
  return rawData?.length ? new Float32Array(new Uint8Array(rawData).buffer) : Float32Array.from(floatData ?? []);
}
