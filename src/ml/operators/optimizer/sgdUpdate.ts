import type { Node } from '../../graph/graph.ts';
import { postpone, type LowerTogether, type Lowering } from '../../lowering/lowering.ts';
import { trainingOperator } from '../operator.ts';
import { lowerUpdates, type PlacedUpdate, scheduled, updatedRows, updatedTypes } from './updates.ts';

export interface Sgd extends PlacedUpdate {
  readonly momentum: number;
  readonly weightDecay: number;
}

const allUpdates: LowerTogether<Sgd> = {
  together: (lowering, updates) => lowerUpdates(lowering, updates, lowerSgd),
};

/** parameter, gradient, momentum buffer, average if there is one, schedule (see optimizer.ts) -> their successors, but for the gradient */
export const sgdUpdate = trainingOperator<Sgd>('sgdUpdate', {
  phase: 'update',
  shape: updatedTypes,
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
