import { typeOf, type Node, type TensorType } from '../../graph/graph.ts';
import { placeName } from '../../graph/nodePlaces.ts';
import { elementCount } from '../../graph/tensor.ts';
import { shapeAfter, type Lowering, type PlacedNode } from '../../lowering/lowering.ts';
import { splitRow } from '../../lowering/splitRow.ts';
import { gradientNorm, squaredNorm } from './gradientNorm.ts';

/** What every update has, whatever the optimizer. */
export interface PlacedUpdate {
  /** Which four numbers of the schedule it reads. */
  readonly group: number;
  /** Whether it moves an average of the weights too. */
  readonly averaged: boolean;
}

/** The types of what an update gives: those of all that it reads but for the gradient and the schedule. */
export function updatedTypes([parameter, , ...rest]: readonly TensorType[]): readonly TensorType[] {
  if (!parameter || rest.length < 2) throw new Error('an update without its moments');
  return [parameter, ...rest.slice(0, -1)];
}

/** What goes into an update's model, and comes out of it, with one dimension: the parameter and its moments. */
export function updatedRows({ inputs: [parameter = '', , ...rest] }: Node): readonly string[] {
  return [parameter, ...rest.slice(0, -1)];
}

/** Up to so many elements, parameters are updated together: an operator a tensor costs more than joining and parting. */
const joinedUpTo = 16384;

/** Computes an update of `state` (parameter, gradient and moments as rows), and names what comes out. */
type LowerUpdate<Attributes> = (
  lowering: Lowering,
  node: Node<Attributes>,
  state: readonly string[],
  outputs: readonly string[],
) => string[];

/** Appends the update of all parameters, which are read and written as rows; small ones of a group together. */
export function lowerUpdates<Attributes extends PlacedUpdate>(
  lowering: Lowering,
  updates: readonly PlacedNode<Attributes>[],
  lowerUpdate: LowerUpdate<Attributes>,
): void {
  const sizeOf = (node: Node) => elementCount(typeOf(lowering.graph, node.inputs[0] ?? '').shape);
  const limit = lowering.webgpu?.joinedElements ?? joinedUpTo;
  const isSmall = ({ node }: PlacedNode) => sizeOf(node) <= limit;
  const row = rowShape(
    lowering,
    updates.map(({ node }) => node.inputs[1] ?? ''),
  );
  const joined = updates.filter(isSmall).map(({ node }) => node);
  for (const nodes of byGroup(joined)) lowerTogether(lowering, nodes, nodes.map(sizeOf), row, lowerUpdate);
  for (const { node, layer } of updates.filter((update) => !isSmall(update))) {
    lowering.place = placeName(node.operator.name, { layer, phase: 'update' });
    lowerWithAverage(lowering, node, rows(lowering, node, row), node.outputs, lowerUpdate);
  }
}

function byGroup<Attributes extends PlacedUpdate>(nodes: readonly Node<Attributes>[]): Iterable<Node<Attributes>[]> {
  const groups = new Map<number, Node<Attributes>[]>();
  for (const node of nodes) {
    const { group } = node.attributes;
    groups.set(group, [...(groups.get(group) ?? []), node]);
  }
  return groups.values();
}

/** The update, and the average of the weights behind it: d * average + (1 - d) * parameter, which for d = 0 is a copy. */
function lowerWithAverage<Attributes extends PlacedUpdate>(
  lowering: Lowering,
  node: Node<Attributes>,
  state: readonly string[],
  outputs: readonly string[],
  lowerUpdate: LowerUpdate<Attributes>,
): string[] {
  if (!node.attributes.averaged) return lowerUpdate(lowering, node, state, outputs);
  const { emit, floats } = lowering;
  const next = lowerUpdate(lowering, node, state.slice(0, -1), outputs);
  const kept = scheduled(lowering, node, 3);
  const old = emit('Mul', [state.at(-1) ?? '', kept]);
  const added = emit('Mul', [next[0] ?? '', emit('Sub', [floats([1]), kept])]);
  return [...next, emit('Add', [old, added], {}, outputs[next.length])];
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
function rows(lowering: Lowering, { inputs }: Node, row: string): string[] {
  const [parameter = '', gradient = '', ...rest] = inputs;
  return [parameter, lowering.emit('Reshape', [gradient, row]), ...rest.slice(0, -1)];
}

function lowerTogether<Attributes extends PlacedUpdate>(
  lowering: Lowering,
  nodes: readonly Node<Attributes>[],
  sizes: readonly number[],
  row: string,
  lowerUpdate: LowerUpdate<Attributes>,
): void {
  const { emit } = lowering;
  const [first] = nodes;
  if (!first) return;
  lowering.place = placeName(first.operator.name, { layer: 'joined', phase: 'update' });
  const parts = nodes.map((node) => rows(lowering, node, row));
  const state =
    parts[0]?.map((_, index) =>
      emit(
        'Concat',
        parts.map((part) => part[index] ?? ''),
        { axis: 0 },
      ),
    ) ?? [];
  const next = lowerWithAverage(lowering, first, state, [], lowerUpdate);
  next.forEach((value, index) => {
    const outputs = nodes.map((node) => node.outputs[index] ?? '');
    splitRow(lowering, value, sizes, outputs);
  });
}

/** Element `index` of a group's part of the schedule, as a row of one. */
export function scheduled(lowering: Lowering, node: Node<PlacedUpdate>, index: number): string {
  const at = 4 * node.attributes.group + index;
  const value = lowering.emit('Gather', [node.inputs.at(-1) ?? '', lowering.integers([at])], { axis: 0 });
  return index === 0 ? afterNorm(lowering, node, value) : value;
}

/**
 * The learning rate, once the norm has read the gradient. Otherwise ONNX Runtime comes to the norm after all updates, and
 * every gradient is kept until then: 360 MiB and 5 % of a step of ViT-B/16, measured. Cards have their own order.
 */
function afterNorm(lowering: Lowering, { inputs: [, gradient = ''] }: Node, rate: string): string {
  const isRead = lowering.graph.nodes.some((node) => node.operator === gradientNorm && node.inputs.includes(gradient));
  if (!isRead || lowering.webgpu) return rate;
  // A rate and a square are at least 0, so this is the rate, and no optimizer can know that.
  const negative = lowering.emit('Min', [squaredNorm(gradient), lowering.floats([-1])]);
  return lowering.emit('Max', [rate, negative]);
}
