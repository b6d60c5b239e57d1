import type { Graph, Node, NodeOf } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';
import { placeName } from '../graph/nodePlaces.ts';
import { elementCount } from '../graph/tensor.ts';
import { shapeAfter, type Lowering } from './lowering.ts';
import { splitRow } from './splitRow.ts';

export type Update = NodeOf<'adamUpdate'> | NodeOf<'sgdUpdate'>;

export function isUpdate(node: Node): node is Update {
  return node.op === 'adamUpdate' || node.op === 'sgdUpdate';
}

/**
 * Names of the parameters and moments that a graph's optimizer updates. They go in and come out of its model with one
 * dimension: ONNX Runtime takes a tensor whose last dimensions are 1, as a 1x1 convolution's weights, value by value
 * where a scalar meets it, 20 times as slowly as a row.
 */
export function flatState(graph: Graph): Set<string> {
  return new Set(
    graph.nodes
      .filter(isUpdate)
      .flatMap(({ inputs: [parameter = '', , ...rest] }) => [parameter, ...rest.slice(0, -1)]),
  );
}

/** Up to so many elements, parameters are updated together: an operator a tensor costs more than joining and parting. */
const joinedUpTo = 16384;

/** Appends the update of all parameters, each given with its layer. The values of `flatState` are read and written as rows. */
export function lowerUpdates(lowering: Lowering, updates: readonly { node: Update; layer: string }[]): void {
  if (updates.length === 0) return;
  const sizeOf = (node: Update) => elementCount(typeOf(lowering.graph, node.inputs[0] ?? '').shape);
  const limit = lowering.webgpu?.joinedElements ?? joinedUpTo;
  const isSmall = ({ node }: { node: Update }) => sizeOf(node) <= limit;
  const row = rowShape(
    lowering,
    updates.map(({ node }) => node.inputs[1] ?? ''),
  );
  const joined = updates.filter(isSmall).map(({ node }) => node);
  lowerTogether(lowering, joined, joined.map(sizeOf), row);
  for (const { node, layer } of updates.filter((update) => !isSmall(update))) {
    lowering.place = placeName(node, { layer, phase: 'update' });
    lowerUpdate(lowering, node, rows(lowering, node, row), node.outputs);
  }
}

/**
 * The shape of a row. Where images are in blocks it waits for all gradients, the last layer's first: so the backward pass
 * runs in its order, and no update, whose results stay until the step's end, begins before the maps of the forward pass
 * are freed.
 */
function rowShape(lowering: Lowering, gradients: readonly string[]): string {
  return lowering.block === 0 ? lowering.integers([-1]) : shapeAfter(lowering, [-1], [...gradients].reverse());
}

/** Parameter, gradient and moments as rows. */
function rows(lowering: Lowering, { inputs }: Update, row: string): string[] {
  const [parameter = '', gradient = '', ...rest] = inputs;
  return [parameter, lowering.emit('Reshape', [gradient, row]), ...rest.slice(0, -1)];
}

function lowerTogether(lowering: Lowering, nodes: readonly Update[], sizes: readonly number[], row: string): void {
  const { emit } = lowering;
  const [first] = nodes;
  if (!first) return;
  lowering.place = placeName(first, { layer: 'joined', phase: 'update' });
  const parts = nodes.map((node) => rows(lowering, node, row));
  const state =
    parts[0]?.map((_, index) =>
      emit(
        'Concat',
        parts.map((part) => part[index] ?? ''),
        { axis: 0 },
      ),
    ) ?? [];
  const next = lowerUpdate(lowering, first, state, []);
  next.forEach((value, index) => {
    const outputs = nodes.map((node) => node.outputs[index] ?? '');
    splitRow(lowering, value, sizes, outputs);
  });
}

function lowerUpdate(lowering: Lowering, node: Update, state: readonly string[], outputs: readonly string[]): string[] {
  return node.op === 'adamUpdate'
    ? lowerAdam(lowering, node, state, outputs)
    : lowerSgd(lowering, node, state, outputs);
}

/** Element `index` of the schedule, as a row of one. */
function scheduled(lowering: Lowering, node: Update, index: number): string {
  return lowering.emit('Gather', [node.inputs.at(-1) ?? '', lowering.integers([index])], { axis: 0 });
}

/** torch.optim.Adam and AdamW: epsilon is added to the root of the bias-corrected second moment. */
function lowerAdam(
  lowering: Lowering,
  node: NodeOf<'adamUpdate'>,
  [parameter = '', rawGradient = '', first = '', second = '']: readonly string[],
  outputs: readonly string[],
): string[] {
  const { emit, floats } = lowering;
  const { beta1, beta2, epsilon, weightDecay, decoupled } = node;
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

/** torch.optim.SGD: the buffer is momentum * buffer + gradient, and begins as the first gradient. */
function lowerSgd(
  lowering: Lowering,
  node: NodeOf<'sgdUpdate'>,
  [parameter = '', rawGradient = '', momentum = '']: readonly string[],
  outputs: readonly string[],
): string[] {
  const { emit, floats } = lowering;
  const gradient =
    node.weightDecay > 0
      ? emit('Add', [rawGradient, emit('Mul', [parameter, floats([node.weightDecay])])])
      : rawGradient;
  const kept = emit('Mul', [momentum, scheduled(lowering, node, 1)]);
  const next = emit('Add', [kept, gradient], {}, outputs[1]);
  const move = emit('Mul', [next, scheduled(lowering, node, 0)]);
  return [emit('Sub', [parameter, move], {}, outputs[0]), next];
}

/** torch's clip_grad_norm_: all gradients times limit / (norm + 1e-6), where that is less than 1. */
export function lowerClipGradientNorm(lowering: Lowering, node: NodeOf<'clipGradientNorm'>): void {
  const { emit, floats, integers } = lowering;
  const squares = node.inputs.map((gradient) => {
    const axes = typeOf(lowering.graph, gradient).shape.map((_, axis) => axis);
    return emit('ReduceSumSquare', [gradient], { axes, keepdims: 0 });
  });
  // Pairwise, because WebGPU has no Sum and leaving it to the CPU would wait for the graphics card twice.
  const norm = emit('Sqrt', [squares.reduce((sum, square) => emit('Add', [sum, square]))]);
  const scale = emit('Div', [floats([node.limit]), emit('Add', [norm, floats([1e-6])])]);
  const factor = emit('Min', [scale, floats([1])]);
  node.inputs.forEach((gradient, index) => {
    const row = emit('Reshape', [gradient, integers([-1])]);
    const scaled = emit('Mul', [row, factor]);
    emit('Reshape', [scaled, integers(typeOf(lowering.graph, gradient).shape)], {}, node.outputs[index]);
  });
}
