import { typeOf, type Node, type TensorType } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { blocked, readBlocked } from '../../lowering/blocked/blockedLayout.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import type { Doubles, Run } from '../operator.ts';
import { at } from '../references.ts';

/** The shape that values broadcast to, as in numpy and torch. Throws if they do not fit. */
export function broadcastShape(shapes: readonly (readonly number[])[]): readonly number[] {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = new Set(shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((size) => size !== 1));
    if (sizes.size > 1)
      throw new Error(`${shapes.map((shape) => `[${shape.join(', ')}]`).join(' and ')} do not broadcast`);
    return [...sizes][0] ?? 1;
  });
}

/**
 * The shape rule of element-wise operators. An image meets images and scalars: a value per channel is to be given as
 * `[1, C, 1, 1]`, an image too.
 */
export function broadcastType(types: readonly TensorType[]): readonly TensorType[] {
  const shaped = types.filter(({ shape }) => shape.length > 0);
  const [first = types[0]] = shaped;
  if (!first) throw new Error('an operator without inputs');
  const axes = first.axes;
  const mixed = shaped.some((type) => type.axes !== axes || (axes !== 'plain' && type.shape.length !== 4));
  if (mixed) throw new Error('values of different axes do not meet; reshape one, and say what its axes are');
  return [{ dtype: 'float32', shape: broadcastShape(types.map(({ shape }) => shape)), axes }];
}

/** Element-wise in float64, with broadcasting. */
export function combineDoubles(
  input: (index: number) => Doubles,
  { inputs, outputs: [output] }: Run<unknown>,
  combine: (...values: number[]) => number,
): Doubles {
  const shape = output?.shape ?? [];
  const steps = inputs.map((type) => broadcastSteps(type.shape, shape));
  const data = inputs.map((_, index) => input(index));
  return Float64Array.from({ length: elementCount(shape) }, (_, element) => {
    const places = steps.map((step) => {
      let [rest, place] = [element, 0];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const size = shape[axis] ?? 1;
        place += (rest % size) * (step[axis] ?? 0);
        rest = Math.floor(rest / size);
      }
      return place;
    });
    return combine(...data.map((values, index) => at(values, places[index] ?? 0)));
  });
}

/** By how many elements a value moves on along each axis of what it is broadcast to. */
export function broadcastSteps(shape: readonly number[], to: readonly number[]): number[] {
  const steps = to.map(() => 0);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1) steps[axis + to.length - shape.length] = step;
    step *= size;
  }
  return steps;
}

/** Whether an element-wise operator of images can compute on blocks: equal maps, values a channel, values an image, scalars. */
export function broadcastSuitsBlocks({ graph }: Pick<Lowering, 'graph'>, { inputs, outputs }: Node): boolean {
  const whole = typeOf(graph, outputs[0] ?? '').shape;
  return inputs.every((value) => {
    const { shape } = typeOf(graph, value);
    const [n = 1, c = 1, h = 1, w = 1] = shape;
    const isMap = shape.join() === whole.join();
    return (
      isMap || elementCount(shape) === 1 || (h === 1 && w === 1 && (c === whole[1] || (c === 1 && n === whole[0])))
    );
  });
}

/** Values an image, `[N, 1, 1, 1]`, lie alike in every layout. */
export function broadcastTakesPlain({ graph }: Pick<Lowering, 'graph'>, { inputs }: Node): readonly string[] {
  return inputs.filter((value) =>
    typeOf(graph, value)
      .shape.slice(1)
      .every((size) => size === 1),
  );
}

/**
 * Lowers an element-wise operator of images in blocks. Equal maps do not care for their layout; values a channel meet
 * `[N, C / B, pixels, B]`. False if all are equal maps.
 */
export function lowerBlockedElementwise(lowering: Lowering, node: Node, opType: string): boolean {
  const { emit, integers, block } = lowering;
  const [output = ''] = node.outputs;
  const { shape } = lowering.typeOf(output);
  const [n = 1, channels = 1, h = 1, w = 1] = shape;
  const perChannel = node.inputs.filter((value) => {
    const own = lowering.typeOf(value).shape;
    return h * w > 1 && own[1] === channels && own[2] === 1 && own[3] === 1;
  });
  if (perChannel.length === 0) {
    readBlocked(lowering, node);
    return false;
  }
  const inputs = node.inputs.map((value) => {
    const own = lowering.typeOf(value).shape;
    const [images = 1, ownChannels = 1] = own;
    if (own.length < 4) return value;
    // A map of one pixel lies in blocks as it does without.
    if (perChannel.includes(value)) return emit('Reshape', [value, integers([images, channels / block, 1, block])]);
    if (ownChannels === 1) return value;
    return emit('Reshape', [blocked(lowering, value), integers([n, channels / block, h * w, block])]);
  });
  emit('Reshape', [emit(opType, inputs), integers(shape)], {}, output);
  return true;
}
