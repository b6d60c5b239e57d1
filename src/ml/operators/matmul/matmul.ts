import { append } from '../../graph/builder.ts';
import { floats, typeOf, type GraphBuilder, type Gradient } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { broadcastShape, broadcastSteps } from '../elementwise/broadcast.ts';
import { transpose } from '../movement/transpose.ts';
import { none, operator, shapeOf, type None } from '../operator.ts';
import { sumTo } from '../reduce/reduceSum.ts';
import { at } from '../references.ts';

/** a `[..., M, K]`, b `[..., K, N]` -> `[..., M, N]`; the axes before broadcast */
export const matmulOperator = operator<None>('matmul', {
  shape([a, b]) {
    const [left, right] = [a?.shape ?? [], b?.shape ?? []];
    if (left.length < 2 || right.length < 2 || left.at(-1) !== right.at(-2)) {
      throw new Error(`[${left.join(', ')}] and [${right.join(', ')}] are not to be multiplied`);
    }
    const batch = broadcastShape([left.slice(0, -2), right.slice(0, -2)]);
    return [floats([...batch, left.at(-2) ?? 1, right.at(-1) ?? 1])];
  },
  gradient(builder, { inputs: [a = '', b = ''] }, dy, needed) {
    const gradients: Gradient[] = [];
    if (needed(a)) gradients.push([a, sumTo(builder, matmul(builder, dy, exchangeLast(builder, b)), a)]);
    if (needed(b)) gradients.push([b, sumTo(builder, matmul(builder, exchangeLast(builder, a), dy), b)]);
    return gradients;
  },
  multiplications: ({ graph }, { inputs, outputs }) =>
    elementCount(typeOf(graph, outputs[0] ?? '').shape) * (typeOf(graph, inputs[0] ?? '').shape.at(-1) ?? 1),
  onnx({ emit }, { inputs, outputs }) {
    emit('MatMul', inputs, {}, outputs[0]);
  },
  tensorflow(tf, input, { inputs, outputs: [y] }) {
    // TensorFlow.js has no gradient for products whose batches broadcast.
    const batch = y?.shape.slice(0, -2) ?? [];
    const [a, b] = inputs.map(({ shape }, index) => {
      const missing = new Array<number>(batch.length + 2 - shape.length).fill(1);
      return tf.broadcastTo(tf.reshape(input(index), [...missing, ...shape]), [...batch, ...shape.slice(-2)]);
    });
    if (!a || !b) throw new Error('a product needs two values');
    return tf.matMul(a, b);
  },
  reference(input, { inputs, outputs: [y] }) {
    const shape = y?.shape ?? [];
    const [m = 1, n = 1] = shape.slice(-2);
    const k = inputs[0]?.shape.at(-1) ?? 1;
    const batch = shape.slice(0, -2);
    const [left = [], right = []] = inputs.map((type) => broadcastSteps(type.shape.slice(0, -2), batch));
    return Float64Array.from({ length: elementCount(shape) }, (_, element) => {
      const [row, column] = [Math.floor(element / n) % m, element % n];
      let [rest, a, b] = [Math.floor(element / (m * n)), 0, 0];
      for (let axis = batch.length - 1; axis >= 0; axis--) {
        const place = rest % (batch[axis] ?? 1);
        a += place * (left[axis] ?? 0);
        b += place * (right[axis] ?? 0);
        rest = Math.floor(rest / (batch[axis] ?? 1));
      }
      let total = 0;
      for (let i = 0; i < k; i++) total += at(input(0), (a * m + row) * k + i) * at(input(1), (b * k + i) * n + column);
      return total;
    });
  },
  samples: {
    matrices: { attributes: none, inputs: [{ shape: [3, 4] }, { shape: [4, 2] }] },
    'two batches': { attributes: none, inputs: [{ shape: [2, 3, 4, 5] }, { shape: [2, 3, 5, 2] }] },
    'a batch and a matrix': { attributes: none, inputs: [{ shape: [2, 3, 4] }, { shape: [4, 2] }] },
    'batches that broadcast': { attributes: none, inputs: [{ shape: [2, 1, 3, 4] }, { shape: [3, 4, 2] }] },
  },
});

/** The last two axes exchanged. */
export function exchangeLast(builder: GraphBuilder, x: string): string {
  const order = shapeOf(builder, x).map((_, axis) => axis);
  const rank = order.length;
  return transpose(builder, x, [...order.slice(0, -2), rank - 1, rank - 2]);
}

/** The product of matrices, `[..., M, K]` by `[..., K, N]`; the axes before broadcast. */
export function matmul(builder: GraphBuilder, a: string, b: string): string {
  return append(builder, matmulOperator, none, [a, b]);
}
