import { typeOf, type GraphBuilder, type Node, type TensorType } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { broadcastSteps } from '../elementwise/broadcast.ts';
import { reshape } from '../movement/reshape.ts';
import type { Doubles, Run } from '../operator.ts';
import { deviceAxis, fromDeviceOrder, type DeviceTensor, type TensorFlow } from '../tensorflow.ts';
import { at } from '../references.ts';

export interface Reduction {
  /** From 0 on. */
  readonly axes: readonly number[];
  /** Whether the axes stay, with length 1. */
  readonly keepDims: boolean;
}

/** The shape rule of reductions. */
export function reducedType([x]: readonly TensorType[], { axes, keepDims }: Reduction): TensorType[] {
  if (!x || axes.some((axis) => axis < 0 || axis >= x.shape.length))
    throw new Error(`no axes ${axes.join(', ')} to reduce`);
  const shape = keepDims
    ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  return [{ dtype: 'float32', shape, axes: keepDims ? x.axes : 'plain' }];
}

/** A reduced value with its axes of length 1 where they vanished. */
export function withAxesKept(
  builder: GraphBuilder,
  { inputs: [x = ''], attributes }: Node<Reduction>,
  value: string,
): string {
  if (attributes.keepDims) return value;
  const { shape, axes } = typeOf(builder, x);
  const kept = shape.map((size, axis) => (attributes.axes.includes(axis) ? 1 : size));
  return reshape(builder, value, kept, axes);
}

/** A reduction in TensorFlow.js; `reduce` keeps the axes. */
export function reduceOnDevice(
  tf: TensorFlow,
  value: DeviceTensor,
  { attributes: { axes, keepDims }, inputs: [x], outputs: [y] }: Run<Reduction>,
  reduce: (value: DeviceTensor, axes: number[]) => DeviceTensor,
): DeviceTensor {
  const type = x ?? { axes: 'plain' };
  const reduced = reduce(
    value,
    axes.map((axis) => deviceAxis(type, axis)),
  );
  return keepDims ? reduced : tf.reshape(fromDeviceOrder(tf, reduced, type), [...(y?.shape ?? [])]);
}

/** A reduction in float64. */
export function reduceDoubles(
  x: Doubles,
  { attributes: { axes }, inputs: [type] }: Run<Reduction>,
  reduce: (values: number[]) => number,
): Doubles {
  const shape = type?.shape ?? [];
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const steps = broadcastSteps(kept, shape);
  const groups = Array.from({ length: elementCount(kept) }, (): number[] => []);
  for (let element = 0; element < x.length; element++) {
    let [rest, place] = [element, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      place += (rest % size) * (steps[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    groups[place]?.push(at(x, element));
  }
  return Float64Array.from(groups, reduce);
}
