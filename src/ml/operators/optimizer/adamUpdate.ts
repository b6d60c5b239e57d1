import type { Node } from '../../graph/graph.ts';
import { postpone, type LowerTogether, type Lowering } from '../../lowering/lowering.ts';
import { trainingOperator } from '../operator.ts';
import { lowerUpdates, type PlacedUpdate, scheduled, updatedRows, updatedTypes } from './updates.ts';

export interface Adam extends PlacedUpdate {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** AdamW: the decay acts on the parameter and not through the gradient. */
  readonly decoupled: boolean;
}

const allUpdates: LowerTogether<Adam> = {
  together: (lowering, updates) => lowerUpdates(lowering, updates, lowerAdam),
};

/** parameter, gradient, first moment, second moment, average if there is one, schedule (see optimizer.ts) -> their successors, but for the gradient */
export const adamUpdate = trainingOperator<Adam>('adamUpdate', {
  phase: 'update',
  shape: updatedTypes,
  rows: updatedRows,
  onnx: (lowering, node) => postpone(lowering, allUpdates, node),
});

/** torch.optim.Adam and AdamW: epsilon is added to the root of the bias-corrected second moment. */
function lowerAdam(
  lowering: Lowering,
  node: Node<Adam>,
  [parameter = '', rawGradient = '', first = '', second = '']: readonly string[],
  outputs: readonly string[],
): string[] {
  const { emit, floats } = lowering;
  const { beta1, beta2, epsilon, weightDecay, decoupled } = node.attributes;
  const decays = weightDecay > 0;
  const gradient =
    decays && !decoupled ? emit('Add', [rawGradient, emit('Mul', [parameter, floats([weightDecay])])]) : rawGradient;
  const firstNext = emit(
    'Add',
    [emit('Mul', [first, floats([beta1])]), emit('Mul', [gradient, floats([1 - beta1])])],
    {},
    outputs[1],
  );
  const squares = emit('Mul', [gradient, gradient]);
  const secondNext = emit(
    'Add',
    [emit('Mul', [second, floats([beta2])]), emit('Mul', [squares, floats([1 - beta2])])],
    {},
    outputs[2],
  );
  const root = emit('Mul', [emit('Sqrt', [secondNext]), scheduled(lowering, node, 1)]);
  const direction = emit('Div', [firstNext, emit('Add', [root, floats([epsilon])])]);
  const move = emit('Mul', [direction, scheduled(lowering, node, 0)]);
  const shrink = () => {
    const share = emit('Mul', [scheduled(lowering, node, 2), floats([weightDecay])]);
    return emit('Sub', [parameter, emit('Mul', [parameter, share])]);
  };
  return [emit('Sub', [decays && decoupled ? shrink() : parameter, move], {}, outputs[0]), firstNext, secondNext];
}
