import { trainingOperator } from '../operator.ts';

export interface Limit {
  readonly limit: number;
}

/** gradients... -> the same gradients, scaled so that their joint L2 norm is at most `limit` (torch's clip_grad_norm_) */
export const clipGradientNorm = trainingOperator<Limit>('clipGradientNorm', {
  phase: 'update',
  shape: (gradients) => gradients,
  /** All gradients times limit / (norm + 1e-6), if that is less than 1. */
  onnx(lowering, { inputs, attributes: { limit }, outputs }) {
    const { emit, floats, integers } = lowering;
    const squares = inputs.map((gradient) => {
      const axes = lowering.typeOf(gradient).shape.map((_, axis) => axis);
      return emit('ReduceSumSquare', [gradient], { axes, keepdims: 0 });
    });
    // Pairwise, because WebGPU has no Sum and leaving it to the CPU would wait for the graphics card twice.
    const norm = emit('Sqrt', [squares.reduce((sum, square) => emit('Add', [sum, square]))]);
    const scale = emit('Div', [floats([limit]), emit('Add', [norm, floats([1e-6])])]);
    const factor = emit('Min', [scale, floats([1])]);
    inputs.forEach((gradient, index) => {
      const row = emit('Reshape', [gradient, integers([-1])]);
      const scaled = emit('Mul', [row, factor]);
      emit('Reshape', [scaled, integers(lowering.typeOf(gradient).shape)], {}, outputs[index]);
    });
  },
});
