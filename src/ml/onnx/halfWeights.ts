import { constantFloats } from './constantFloats.ts';
import { type OnnxModel, onnxDataTypes, type OnnxNode, type OnnxTensor } from './onnxModel.ts';

const float16 = 10;
const largestHalf = 65504;

/**
 * The model with its weights in float16, half the file: all float32 constants of two dimensions or more that float16 can
 * hold. They are cast to float32 where they are read, so that it computes as before, in every runtime alike.
 */
export function halfWeights(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const casts: OnnxNode[] = [];
  const names = new Set((graph.initializer ?? []).map(({ name = '' }) => name));
  const initializer = (graph.initializer ?? []).map((tensor): OnnxTensor => {
    const { name = '', dims = [], dataType } = tensor;
    if (dataType !== onnxDataTypes.float32 || dims.length < 2) return tensor;
    const values = constantFloats(tensor);
    if (values.some((value) => !(Math.abs(value) <= largestHalf))) return tensor;
    let half = `${name}:half`;
    while (names.has(half)) half += '_';
    names.add(half);
    casts.push({
      opType: 'Cast',
      input: [half],
      output: [name],
      attribute: [{ name: 'to', type: 2, i: onnxDataTypes.float32 }],
    });
    const rawData = new Uint8Array(Uint16Array.from(values, halfBits).buffer);
    return { name: half, dims, dataType: float16, rawData };
  });
  return { ...model, graph: { ...graph, node: [...casts, ...graph.node], initializer } };
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bits of the nearest float16, halves to the even neighbour (IEEE 754), for magnitudes up to 65504. */
export function halfBits(value: number): number {
  float[0] = value;
  const whole = bits[0] ?? 0;
  const sign = (whole >>> 16) & 0x8000;
  const magnitude = whole & 0x7fffffff;
  // Below the smallest normal number the steps are all 2 ** -24.
  if (magnitude < 0x38800000) {
    float[0] = Math.abs(value) + 0.5;
    return sign | ((bits[0] ?? 0) - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}
