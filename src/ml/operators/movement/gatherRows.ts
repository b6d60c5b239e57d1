import { append } from '../../graph/builder.ts';
import { floats, type GraphBuilder, type Node } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { gradientBy, operator, shapeOf, trainingOperator } from '../operator.ts';
import { at } from '../references.ts';

export interface Rows {
  /** The places along the first axis, in the order of the result; one may come up often. */
  readonly rows: readonly number[];
}

/** x `[R, ...]` -> `[rows, ...]`, the rows at places that are part of the network, as a relative position index is */
export const gatherRowsOperator = operator<Rows>('gatherRows', {
  shape([x], { rows }) {
    const [count = 0, ...rest] = x?.shape ?? [];
    if (rows.some((row) => row < 0 || row >= count)) throw new Error(`a row beyond the ${count} that there are`);
    return [floats([rows.length, ...rest])];
  },
  gradient: (builder, node, dy) => {
    const count = shapeOf(builder, node.inputs[0] ?? '')[0] ?? 1;
    return gradientBy(builder, node, scatterRows, { ...node.attributes, count }, [dy]);
  },
  onnx(lowering, { inputs, attributes: { rows }, outputs }) {
    lowering.emit('Gather', [...inputs, lowering.integers(rows)], { axis: 0 }, outputs[0]);
  },
  tensorflow: (tf, input, { attributes: { rows } }) => tf.gather(input(0), tf.tensor1d([...rows], 'int32'), 0),
  reference(input, { attributes: { rows }, inputs: [type] }) {
    const row = elementCount(type?.shape.slice(1) ?? []);
    return Float64Array.from({ length: rows.length * row }, (_, index) =>
      at(input(0), (rows[Math.floor(index / row)] ?? 0) * row + (index % row)),
    );
  },
  samples: { 'rows that come up often': { attributes: { rows: [2, 0, 2, 3, 2, 0] }, inputs: [{ shape: [4, 3] }] } },
});

/** dy `[rows, ...]` -> dx `[count, ...]`: each row added to where it came from */
export const scatterRows = trainingOperator<Rows & { readonly count: number }>('scatterRows', {
  shape: ([dy], { count }) => [floats([count, ...(dy?.shape.slice(1) ?? [])])],
  onnx(lowering, node) {
    addRows(lowering, node, lowering.floats([0]));
  },
  /**
   * Constant zeros would be copied into what the rows are added to, and a recorded step has no copies (webgpu/replayedSession.ts):
   * a zero that is made at each step, also where gradients are no numbers, is added to where it is.
   */
  webgpu(lowering, node) {
    const { emit, floatType } = lowering;
    const [dy = ''] = node.inputs;
    const axes = lowering.typeOf(dy).shape.map((_, axis) => axis);
    const largest = emit('ReduceMax', [dy], { axes, keepdims: 0 });
    addRows(lowering, node, emit('Cast', [emit('Less', [largest, largest])], { to: floatType }));
    return true;
  },
});

/** Adds each row of the gradient to a table that is `zero` everywhere. */
function addRows(
  lowering: Lowering,
  { inputs: [dy = ''], attributes: { rows, count }, outputs }: Node<Rows & { readonly count: number }>,
  zero: string,
): void {
  const { emit, integers } = lowering;
  const rest = lowering.typeOf(dy).shape.slice(1);
  const zeros = emit('Expand', [zero, integers([count, ...rest])]);
  const places = emit('Reshape', [integers(rows), integers([rows.length, 1])]);
  emit('ScatterND', [zeros, places, dy], { reduction: 'add' }, outputs[0]);
}

/** The rows of a table at places that are part of the network. */
export function gatherRows(builder: GraphBuilder, table: string, rows: readonly number[]): string {
  return append(builder, gatherRowsOperator, { rows }, [table]);
}
