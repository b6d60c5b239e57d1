import { append } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { cutChannels } from '../../lowering/blocked/cutChannels.ts';
import { passToCut } from '../../lowering/blocked/deferredMultiples.ts';
import { gradientBy, operator } from '../operator.ts';
import { deviceAxis } from '../tensorflow.ts';

export interface Slice {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/** x -> what lies from `start` to before `end` along an axis */
export const sliceOperator = operator<Slice>('slice', {
  shape([x], { axis, start, end }) {
    if (!x || start < 0 || end <= start || end > (x.shape[axis] ?? 0)) {
      throw new Error(`[${x?.shape.join(', ') ?? ''}] has nothing from ${start} to ${end} along axis ${axis}`);
    }
    return [{ ...x, shape: x.shape.map((size, index) => (index === axis ? end - start : size)) }];
  },
  gradient(builder, node, dy) {
    const { axis, start, end } = node.attributes;
    const { shape } = typeOf(builder, node.inputs[0] ?? '');
    const before = shape.map((_, index) => (index === axis ? start : 0));
    const after = shape.map((size, index) => (index === axis ? size - end : 0));
    return gradientBy(builder, node, padOperator, { before, after }, [dy]);
  },
  onnx({ emit, integers }, { inputs, attributes: { axis, start, end }, outputs }) {
    emit('Slice', [...inputs, integers([start]), integers([end]), integers([axis])], {}, outputs[0]);
  },
  suitsBlocks: (_, { attributes: { axis, start, end } }, block) =>
    axis === 1 && start % block === 0 && end % block === 0,
  blocked(lowering, { inputs: [x = ''], attributes: { start, end }, outputs }) {
    cutChannels(lowering, x, [start, end], { output: outputs[0] });
    return true;
  },
  passMultiples: (lowering, node) => passToCut(lowering, node, [node.attributes.start, node.attributes.end]),
  tensorflow(tf, input, { attributes: { axis, start, end }, inputs: [type] }) {
    const x = input(0);
    const place = deviceAxis(type ?? { axes: 'plain' }, axis);
    return tf.slice(
      x,
      x.shape.map((_, index) => (index === place ? start : 0)),
      x.shape.map((size, index) => (index === place ? end - start : size)),
    );
  },
  reference(input, { attributes: { axis, start, end }, inputs: [type] }) {
    const row = elementCount(type?.shape.slice(axis + 1) ?? []);
    const length = type?.shape[axis] ?? 1;
    return input(0).filter((_, index) => {
      const place = Math.floor(index / row) % length;
      return place >= start && place < end;
    });
  },
  samples: {
    'channels of a map': {
      attributes: { axis: 1, start: 1, end: 3 },
      inputs: [{ shape: [2, 4, 3, 2], axes: 'image' }],
    },
    tokens: { attributes: { axis: 1, start: 0, end: 1 }, inputs: [{ shape: [2, 3, 4] }] },
    'the last axis': { attributes: { axis: 2, start: 2, end: 4 }, inputs: [{ shape: [2, 3, 5] }] },
  },
});

export interface Padding {
  /** Zeros before and after, along each axis. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** x -> x with zeros around it */
export const padOperator = operator<Padding>('pad', {
  shape([x], { before, after }) {
    if (before.length !== x?.shape.length || after.length !== x.shape.length) throw new Error('padding of other axes');
    return [{ ...x, shape: x.shape.map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0)) }];
  },
  gradient(builder, { inputs: [x = ''], attributes: { before, after } }, dy) {
    const { shape } = typeOf(builder, x);
    let cut = dy;
    shape.forEach((size, axis) => {
      const start = before[axis] ?? 0;
      if (start + (after[axis] ?? 0) > 0) cut = slice(builder, cut, axis, start, start + size);
    });
    return [[x, cut]];
  },
  onnx({ emit, integers }, { inputs, attributes: { before, after }, outputs }) {
    emit('Pad', [...inputs, integers([...before, ...after])], {}, outputs[0]);
  },
  tensorflow(tf, input, { attributes: { before, after }, inputs: [type] }) {
    const pads: [number, number][] = before.map(() => [0, 0]);
    before.forEach((size, axis) => {
      pads[deviceAxis(type ?? { axes: 'plain' }, axis)] = [size, after[axis] ?? 0];
    });
    return tf.pad(input(0), pads);
  },
  reference(input, { attributes: { before }, inputs: [from], outputs: [to] }) {
    const shape = to?.shape ?? [];
    const x = input(0);
    return Float64Array.from({ length: elementCount(shape) }, (_, element) => {
      let [rest, place, step] = [element, 0, 1];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const size = from?.shape[axis] ?? 1;
        const at = (rest % (shape[axis] ?? 1)) - (before[axis] ?? 0);
        if (at < 0 || at >= size) return 0;
        place += at * step;
        step *= size;
        rest = Math.floor(rest / (shape[axis] ?? 1));
      }
      return x[place] ?? NaN;
    });
  },
  samples: {
    tokens: { attributes: { before: [0, 1, 0], after: [0, 2, 0] }, inputs: [{ shape: [2, 3, 4] }] },
    'a map on all sides': {
      attributes: { before: [0, 0, 1, 2], after: [0, 1, 0, 1] },
      inputs: [{ shape: [2, 3, 4, 2], axes: 'image' }],
    },
  },
});

/** What lies from `start` to before `end` along an axis. */
export function slice(builder: GraphBuilder, x: string, axis: number, start: number, end: number): string {
  return append(builder, sliceOperator, { axis, start, end }, [x]);
}

/** The value with zeros before and after it along each axis. */
export function pad(builder: GraphBuilder, x: string, before: readonly number[], after: readonly number[]): string {
  return append(builder, padOperator, { before, after }, [x]);
}
