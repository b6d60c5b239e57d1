import type { Graph } from '../graph.ts';
import { float32Tensor, type Tensor } from '../tensor.ts';

/*
 * Weights as the blocked convolution reads them. A training step keeps its convolutions' weights, their moments and
 * their gradients in this order from step to step, since an optimizer does not care which element lies where; only
 * what leaves the model is put back into torch's order.
 */

/** The convolutions' weights among a graph's parameters: those that a blocked model holds in blocks. */
export function convolutionWeights(graph: Graph): Set<string> {
  return new Set(graph.nodes.flatMap((node) => (node.op === 'conv2d' ? [node.inputs[1] ?? ''] : [])));
}

/**
 * Position in torch's order `[O, I, kh, kw]` of each element of the blocked order `[O/B, I/B, kh, kw, B of I, B of O]`,
 * or `[O/B, I, kh, kw, B of O]` for fewer than B inputs.
 */
function positions(shape: readonly number[], block: number): Uint32Array {
  const [outputs = 1, inputs = 1, kh = 1, kw = 1] = shape;
  const taps = kh * kw;
  const inner = inputs < block ? 1 : block;
  const result = new Uint32Array(outputs * inputs * taps);
  let at = 0;
  for (let output = 0; output < outputs; output += block) {
    for (let channel = 0; channel < inputs; channel += inner) {
      for (let tap = 0; tap < taps; tap++) {
        for (let i = channel; i < channel + inner; i++) {
          for (let o = output; o < output + block; o++) result[at++] = (o * inputs + i) * taps + tap;
        }
      }
    }
  }
  return result;
}

/** A float32 tensor of weights from torch's order into the blocked one. */
export function holdTensor(tensor: Tensor, block: number): Tensor {
  const { data, shape } = tensor;
  return float32Tensor(
    shape,
    Float32Array.from(positions(shape, block), (position) => Number(data[position])),
  );
}

/** A float32 tensor of weights from the blocked order back into torch's. */
export function releaseTensor(tensor: Tensor, block: number): Tensor & { dtype: 'float32' } {
  const { data, shape } = tensor;
  const weights = new Float32Array(data.length);
  positions(shape, block).forEach((position, index) => {
    weights[position] = Number(data[index]);
  });
  return float32Tensor(shape, weights);
}
