import { typeOf, type NodeOf } from '../graph.ts';
import type { Lowering } from './lowering.ts';

/** Element `index` of the schedule, as a scalar. */
function scheduled(lowering: Lowering, schedule: string, index: number): string {
  const { emit, integers } = lowering;
  return emit('Gather', [schedule, integers([index])], { axis: 0 });
}

/** torch.optim.Adam and AdamW: epsilon is added to the root of the bias-corrected second moment. */
export function lowerAdamUpdate(lowering: Lowering, node: NodeOf<'adamUpdate'>): void {
  const { emit, floats } = lowering;
  const [parameter = '', rawGradient = '', first = '', second = '', schedule = ''] = node.inputs;
  const { beta1, beta2, epsilon, weightDecay, decoupled } = node;
  const decays = weightDecay > 0;
  const gradient =
    decays && !decoupled ? emit('Add', [rawGradient, emit('Mul', [parameter, floats([weightDecay])])]) : rawGradient;
  const firstNext = emit(
    'Add',
    [emit('Mul', [first, floats([beta1])]), emit('Mul', [gradient, floats([1 - beta1])])],
    {},
    node.outputs[1],
  );
  const squares = emit('Mul', [gradient, gradient]);
  const secondNext = emit(
    'Add',
    [emit('Mul', [second, floats([beta2])]), emit('Mul', [squares, floats([1 - beta2])])],
    {},
    node.outputs[2],
  );
  const root = emit('Mul', [emit('Sqrt', [secondNext]), scheduled(lowering, schedule, 1)]);
  const direction = emit('Div', [firstNext, emit('Add', [root, floats([epsilon])])]);
  const move = emit('Mul', [direction, scheduled(lowering, schedule, 0)]);
  const shrink = () => {
    const share = emit('Mul', [scheduled(lowering, schedule, 2), floats([weightDecay])]);
    return emit('Sub', [parameter, emit('Mul', [parameter, share])]);
  };
  emit('Sub', [decays && decoupled ? shrink() : parameter, move], {}, node.outputs[0]);
}

/** torch.optim.SGD: the buffer is momentum * buffer + gradient, and begins as the first gradient. */
export function lowerSgdUpdate(lowering: Lowering, node: NodeOf<'sgdUpdate'>): void {
  const { emit, floats } = lowering;
  const [parameter = '', rawGradient = '', momentum = '', schedule = ''] = node.inputs;
  const gradient =
    node.weightDecay > 0
      ? emit('Add', [rawGradient, emit('Mul', [parameter, floats([node.weightDecay])])])
      : rawGradient;
  const kept = emit('Mul', [momentum, scheduled(lowering, schedule, 1)]);
  const next = emit('Add', [kept, gradient], {}, node.outputs[1]);
  emit('Sub', [parameter, emit('Mul', [next, scheduled(lowering, schedule, 0)])], {}, node.outputs[0]);
}

/** torch's clip_grad_norm_: all gradients times limit / (norm + 1e-6), where that is less than 1. */
export function lowerClipGradientNorm(lowering: Lowering, node: NodeOf<'clipGradientNorm'>): void {
  const { emit, floats } = lowering;
  const squares = node.inputs.map((gradient) => {
    const axes = typeOf(lowering.graph, gradient).shape.map((_, axis) => axis);
    return emit('ReduceSumSquare', [gradient], { axes, keepdims: 0 });
  });
  // Pairwise, because WebGPU has no Sum and leaving it to the CPU would wait for the graphics card twice.
  const norm = emit('Sqrt', [squares.reduce((sum, square) => emit('Add', [sum, square]))]);
  const scale = emit('Div', [floats([node.limit]), emit('Add', [norm, floats([1e-6])])]);
  const factor = emit('Min', [scale, floats([1])]);
  node.inputs.forEach((gradient, index) => emit('Mul', [gradient, factor], {}, node.outputs[index]));
}
