import { imageShape } from '../../graph/builder.ts';
import { typeOf, type Node } from '../../graph/graph.ts';
import type { Lowering, Multiple } from '../lowering.ts';
import { loweredOperator } from '../loweredOperator.ts';
import { blocked } from './blockedLayout.ts';
import { cutChannels, cutFromLaterJoin } from './cutChannels.ts';
import { affine } from './recompute.ts';

/*
 * A batch norm's gradient is `a dy + b x + c` per channel. All norms of a dense block read its first channels, and their
 * gradients are summed. So `b x` is left out of each, the `b` are summed beside, and x is multiplied by the sum once, when
 * something else than a sum or a cut reads the gradient.
 */

/** Whether a norm's dx may lack a multiple of the image: where joins begin with it, or it is one. */
export function defersMultiple({ joins }: Lowering, image: string): boolean {
  return joins.has(image) || [...joins.values()].some(([first]) => first === image);
}

/** Notes that a gradient by all of an image lacks a multiple of it. */
export function leaveMultiple(lowering: Lowering, gradient: string, image: string, scale: string): void {
  lowering.lacking.set(gradient, { image, channels: [0, imageShape(lowering.graph, image)[1]], scale });
}

/** Adds what the node's inputs lack, unless its result may lack it instead. */
export function settleMultiples(lowering: Lowering, node: Node): void {
  const { alias, lacking, layouts } = lowering;
  const lacks = [...new Set(node.inputs)].filter((value) => lacking.has(value));
  if (lacks.length === 0) return;
  if (layouts.nodes.has(node) && loweredOperator(node).passMultiples?.(lowering, node) === true) return;
  for (const value of lacks) {
    const multiple = lacking.get(value);
    if (multiple) alias.set(value, settled(lowering, value, multiple));
    lacking.delete(value);
  }
}

function settled(lowering: Lowering, gradient: string, { image, channels: [start, end], scale }: Multiple): string {
  const channels = end - start;
  const isWhole = channels === imageShape(lowering.graph, image)[1];
  const x = isWhole
    ? (cutFromLaterJoin(lowering, image, gradient) ?? blocked(lowering, image))
    : cutChannels(lowering, image, [start, end], { after: gradient });
  return affine(lowering, { x, scale, channels }, { other: gradient });
}

/** A sum of two maps lacks what both do, if that is of the same channels. */
export function passToSum(lowering: Lowering, { inputs: [a = '', b = ''], outputs: [sum = ''] }: Node): boolean {
  const { emit, graph, lacking } = lowering;
  const areMaps = [a, b].every((value) => typeOf(graph, value).shape.join() === typeOf(graph, sum).shape.join());
  const [first, second] = [lacking.get(a), lacking.get(b)];
  const either = first ?? second;
  if (!areMaps || !either) return false;
  if (first && second) {
    const areAlike = first.image === second.image && first.channels.join() === second.channels.join();
    if (!areAlike) return false;
    lacking.set(sum, { ...first, scale: emit('Add', [first.scale, second.scale]) });
  } else lacking.set(sum, either);
  return true;
}

/** Channels of a map lack what the map does; a join's first part lacks it of that part, which is kept for as long as it is read. */
export function passToCut(
  lowering: Lowering,
  { inputs: [map = ''], outputs: [part = ''] }: Node,
  [start, end]: readonly [number, number],
): boolean {
  const { emit, graph, integers, joins, lacking } = lowering;
  const whole = lacking.get(map);
  if (!whole) return false;
  const scale = emit('Slice', [whole.scale, integers([start]), integers([end]), integers([0])]);
  const channels = [whole.channels[0] + start, whole.channels[0] + end] as const;
  const [first] = joins.get(whole.image) ?? [];
  const isFirst = first !== undefined && channels[0] === 0 && channels[1] === imageShape(graph, first)[1];
  lacking.set(part, { image: isFirst ? first : whole.image, channels, scale });
  return true;
}
