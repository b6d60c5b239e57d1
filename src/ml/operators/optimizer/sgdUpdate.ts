import type { Node } from '../../graph/graph.ts';
import { postpone, type LowerTogether, type Lowering } from '../../lowering/lowering.ts';
import { trainingOperator } from '../operator.ts';
import { lowerUpdates, scheduled, updatedRows } from './updates.ts';

export interface Sgd {
  readonly momentum: number;
  readonly weightDecay: number;
}

const allUpdates: LowerTogether<Sgd> = {
  together: (lowering, updates) => lowerUpdates(lowering, updates, lowerSgd),
};

/** parameter, gradient, momentum buffer, schedule `[4]` -> parameter, momentum buffer */
export const sgdUpdate = trainingOperator<Sgd>('sgdUpdate', {
  phase: 'update',
  shape([parameter, , buffer]) {
    if (!parameter || !buffer) throw new Error('an update without its momentum buffer');
    return [parameter, buffer];
  },
  rows: updatedRows,
  onnx: (lowering, node) => postpone(lowering, allUpdates, node),
});

/** torch.optim.SGD: the buffer is momentum * buffer + gradient, and begins as the first gradient. */
function lowerSgd(
  lowering: Lowering,
  node: Node<Sgd>,
  [parameter = '', rawGradient = '', momentum = '']: readonly string[],
  outputs: readonly string[],
): string[] {
  const { emit, floats } = lowering;
  const gradient =
    node.attributes.weightDecay > 0
      ? emit('Add', [rawGradient, emit('Mul', [parameter, floats([node.attributes.weightDecay])])])
      : rawGradient;
  const kept = emit('Mul', [momentum, scheduled(lowering, node, 1)]);
  const next = emit('Add', [kept, gradient], {}, outputs[1]);
  const move = emit('Mul', [next, scheduled(lowering, node, 0)]);
  return [emit('Sub', [parameter, move], {}, outputs[0]), next];
}
