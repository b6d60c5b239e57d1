import { trainingOperator } from '../operator.ts';

export interface Limit {
  readonly limit: number;
}

/** joint norm, gradients... -> the same gradients, scaled so that their joint L2 norm is at most `limit` (torch's clip_grad_norm_) */
export const clipGradientNorm = trainingOperator<Limit>('clipGradientNorm', {
  phase: 'update',
  shape: ([, ...gradients]) => gradients,
  /** All gradients times limit / (norm + 1e-6), if that is less than 1. */
  onnx(lowering, { inputs: [norm = '', ...gradients], attributes: { limit }, outputs }) {
    const { emit, floats, integers } = lowering;
    const scale = emit('Div', [floats([limit]), emit('Add', [norm, floats([1e-6])])]);
    const factor = emit('Min', [scale, floats([1])]);
    gradients.forEach((gradient, index) => {
      const row = emit('Reshape', [gradient, integers([-1])]);
      const scaled = emit('Mul', [row, factor]);
      emit('Reshape', [scaled, integers(lowering.typeOf(gradient).shape)], {}, outputs[index]);
    });
  },
});
