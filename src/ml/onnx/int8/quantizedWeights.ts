import { constantFloats } from '../constantFloats.ts';
import { attribute, type ModelIndex } from '../modelIndex.ts';
import { type OnnxNode, type OnnxTensor, onnxNumber } from '../onnxModel.ts';

/** Weights of a convolution in float32. */
export interface ConvolutionWeights {
  /** `[O, I / groups, kH, kW]` */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** `[O]` */
  readonly bias: Float32Array;
}

/** The same in whole numbers. */
export interface QuantizedWeights {
  readonly values: Int8Array;
  /** Real value of one step, for each output channel. */
  readonly scales: Float32Array;
  /** In steps of `scales` times the input's. */
  readonly bias: Int32Array;
}

/** Weights of a `Conv` whose weights are constants of the model. */
export function weightsOfConvolution(index: ModelIndex, node: OnnxNode): ConvolutionWeights {
  const [, weight = '', offset = ''] = node.input;
  const tensor = constantOf(index, weight);
  const shape = (tensor.dims ?? []).map(onnxNumber);
  const bias = offset === '' ? new Float32Array(shape[0] ?? 0) : constantFloats(constantOf(index, offset));
  return { shape, values: constantFloats(tensor), bias };
}

/** A `BatchNormalization` of fixed statistics as a convolution of one pixel, each channel by itself. */
export function weightsOfNorm(index: ModelIndex, node: OnnxNode): ConvolutionWeights {
  const [gamma, beta, mean, variance] = node.input.slice(1).map((name) => constantFloats(constantOf(index, name)));
  const epsilon = attribute(node, 'epsilon')?.f ?? 1e-5;
  const values = Float32Array.from(gamma ?? [], (value, c) => value / Math.sqrt((variance?.[c] ?? 1) + epsilon));
  const bias = Float32Array.from(values, (value, c) => (beta?.[c] ?? 0) - (mean?.[c] ?? 0) * value);
  return { shape: [values.length, 1, 1, 1], values, bias };
}

function constantOf(index: ModelIndex, name: string): OnnxTensor {
  const tensor = index.constants.get(name);
  if (!tensor) throw new Error(`the model has no constant ${name}`);
  return tensor;
}

/** Sums of products are 32 bits long; the bias leaves half of them to the products. */
const largestBias = 2 ** 30;

/**
 * Rounds weights to whole numbers from `-most` to `most`, with a scale for each output channel. `inputScale` is the real
 * value of one step of the map that they are multiplied by.
 */
export function quantizeWeights(weights: ConvolutionWeights, inputScale: number, most: number): QuantizedWeights {
  const rows = weights.bias.length;
  const size = weights.values.length / rows;
  const quantized = {
    values: new Int8Array(weights.values.length),
    scales: new Float32Array(rows),
    bias: new Int32Array(rows),
  };
  for (let row = 0; row < rows; row++) {
    const offset = weights.bias[row] ?? 0;
    const values = weights.values.subarray(row * size, (row + 1) * size);
    quantized.scales[row] = Math.max(largestOf(values) / most, Math.abs(offset) / (inputScale * largestBias)) || 1;
    // Read back as float32, which the operator computes with.
    const scale = quantized.scales[row] ?? 1;
    for (let at = 0; at < size; at++) quantized.values[row * size + at] = Math.round((values[at] ?? 0) / scale);
    quantized.bias[row] = Math.round(offset / (inputScale * scale));
  }
  return quantized;
}

function largestOf(values: Float32Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}
