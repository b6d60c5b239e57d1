import { floats } from '../../graph/graph.ts';
import { trainingOperator, type None } from '../operator.ts';

/** gradients... -> their joint L2 norm `[]` */
export const gradientNorm = trainingOperator<None>('gradientNorm', {
  phase: 'update',
  shape: () => [floats([])],
  onnx(lowering, { inputs, outputs }) {
    const { emit } = lowering;
    // The last layer's first: its gradient is there first, and what it was made of is not needed any more.
    const squares = [...inputs].reverse().map((gradient) => {
      const axes = lowering.typeOf(gradient).shape.map((_, axis) => axis);
      return emit('ReduceSumSquare', [gradient], { axes, keepdims: 0 }, squaredNorm(gradient));
    });
    // Pairwise, because WebGPU has no Sum and leaving it to the CPU would wait for the graphics card twice.
    emit('Sqrt', [squares.reduce((sum, square) => emit('Add', [sum, square]))], {}, outputs[0]);
  },
});

/** What a model calls the squared norm `[]` of one gradient. */
export function squaredNorm(gradient: string): string {
  return `${gradient}:squaredNorm`;
}
