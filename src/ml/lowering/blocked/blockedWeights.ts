import { float32Tensor, type Tensor } from '../../graph/tensor.ts';

/*
 * Weights as the blocked convolution reads them. A training step keeps its convolutions' weights, their moments and
 * their gradients in this order from step to step, since an optimizer does not care which element lies where; only
 * what leaves the model is put back into torch's order.
 */

/**
 * Visits the elements of the blocked order `[O/B, I/B, kh, kw, B of I, B of O]`, or `[O/B, I, kh, kw, B of O]` for fewer
 * than B inputs, one after another, with the place of each in torch's order `[O, I, kh, kw]`.
 */
function visitBlocked(shape: readonly number[], block: number, visit: (torch: number, blocked: number) => void): void {
  const [outputs = 1, inputs = 1, kh = 1, kw = 1] = shape;
  const taps = kh * kw;
  const inner = inputs < block ? 1 : block;
  let at = 0;
  for (let output = 0; output < outputs; output += block) {
    for (let channel = 0; channel < inputs; channel += inner) {
      for (let tap = 0; tap < taps; tap++) {
        for (let i = channel; i < channel + inner; i++) {
          for (let o = output; o < output + block; o++) visit((o * inputs + i) * taps + tap, at++);
        }
      }
    }
  }
}

/** A float32 tensor of weights from torch's order into the blocked one. */
export function toBlockedOrder({ data, shape }: Tensor, block: number): Tensor {
  const weights = new Float32Array(data.length);
  visitBlocked(shape, block, (torch, blocked) => {
    weights[blocked] = Number(data[torch]);
  });
  return float32Tensor(shape, weights);
}

/** A float32 tensor of weights from the blocked order back into torch's, written into `weights`. */
export function fromBlockedOrder(
  { data, shape }: Tensor,
  block: number,
  weights: Float32Array = new Float32Array(data.length),
): Tensor & { dtype: 'float32' } {
  visitBlocked(shape, block, (torch, blocked) => {
    weights[torch] = Number(data[blocked]);
  });
  return float32Tensor(shape, weights);
}
