import { append, parameter } from '../../graph/builder.ts';
import { floats, typeOf, type GraphBuilder, type Gradient } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { reshape } from '../movement/reshape.ts';
import { none, operator, shapeOf, trainingOperator, type None } from '../operator.ts';
import { biasGradient } from '../reduce/biasGradient.ts';
import { at } from '../references.ts';
import { asMatrix } from '../tensorflow.ts';

/** x `[N, in]`, weight `[out, in]`, bias? `[out]` -> y `[N, out]` */
export const linearOperator = operator<None>('linear', {
  shape: ([x, weight]) => [floats([x?.shape[0] ?? 0, weight?.shape[0] ?? 0])],
  gradient(builder, { inputs }, dy, needed) {
    const [x = '', weight = '', bias] = inputs;
    const gradients: Gradient[] = [];
    if (needed(weight)) gradients.push([weight, append(builder, linearWeightGradient, none, [x, dy])]);
    if (bias !== undefined && needed(bias)) gradients.push([bias, append(builder, biasGradient, none, [dy])]);
    if (needed(x)) gradients.push([x, append(builder, linearInputGradient, none, [dy, weight])]);
    return gradients;
  },
  multiplications: ({ graph }, { inputs, outputs }) =>
    elementCount(typeOf(graph, outputs[0] ?? '').shape) * (typeOf(graph, inputs[0] ?? '').shape[1] ?? 1),
  onnx({ emit }, { inputs, outputs }) {
    emit('Gemm', inputs, { transB: 1 }, outputs[0]);
  },
  tensorflow(tf, input, { inputs }) {
    const y = tf.matMul(asMatrix(input(0)), asMatrix(input(1)), false, true);
    return inputs.length > 2 ? tf.add(y, input(2)) : y;
  },
  reference(input, { inputs }) {
    const [rows = 1, size = 1] = inputs[0]?.shape ?? [];
    const [columns = 1] = inputs[1]?.shape ?? [];
    return Float64Array.from({ length: rows * columns }, (_, index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      let sum = inputs.length > 2 ? at(input(2), column) : 0;
      for (let k = 0; k < size; k++) sum += at(input(0), row * size + k) * at(input(1), column * size + k);
      return sum;
    });
  },
  samples: {
    'rows with a bias': { attributes: none, inputs: [{ shape: [3, 5] }, { shape: [4, 5] }, { shape: [4] }] },
    'rows without one': { attributes: none, inputs: [{ shape: [3, 5] }, { shape: [4, 5] }] },
  },
});

/** dy `[N, out]`, weight `[out, in]` -> dx `[N, in]` */
export const linearInputGradient = trainingOperator<None>('linearInputGradient', {
  shape: ([dy, weight]) => [floats([dy?.shape[0] ?? 0, weight?.shape[1] ?? 0])],
  multiplications: ({ graph }, { inputs: [dy = ''], outputs: [dx = ''] }) =>
    elementCount(typeOf(graph, dy).shape) * (typeOf(graph, dx).shape[1] ?? 1),
  onnx({ emit }, { inputs, outputs }) {
    emit('MatMul', inputs, {}, outputs[0]);
  },
});

/** x `[N, in]`, dy `[N, out]` -> dweight `[out, in]` */
export const linearWeightGradient = trainingOperator<None>('linearWeightGradient', {
  shape: ([x, dy]) => [floats([dy?.shape[1] ?? 0, x?.shape[1] ?? 0])],
  multiplications: ({ graph }, { inputs: [x = ''], outputs: [dweight = ''] }) =>
    elementCount(typeOf(graph, dweight).shape) * (typeOf(graph, x).shape[0] ?? 1),
  onnx({ emit }, { inputs, outputs }) {
    emit('Gemm', [...inputs].reverse(), { transA: 1 }, outputs[0]);
  },
});

/** `x` `[..., in]` times the transposed weight `[out, in]`, plus the bias `[out]`: `[..., out]`. */
export function applyLinear(builder: GraphBuilder, x: string, weight: string, bias?: string): string {
  const shape = shapeOf(builder, x);
  const columns = shape.at(-1) ?? 1;
  const rows = shape.length === 2 ? x : reshape(builder, x, [elementCount(shape) / columns, columns]);
  const y = append(builder, linearOperator, none, bias === undefined ? [rows, weight] : [rows, weight, bias]);
  return shape.length === 2 ? y : reshape(builder, y, [...shape.slice(0, -1), shapeOf(builder, y)[1] ?? 1]);
}

/** torch's Linear under the module name `name`: `[..., in]` -> `[..., features]`, along the last axis. */
export function linear(builder: GraphBuilder, name: string, x: string, features: number, bias = true): string {
  const weight = parameter(builder, `${name}.weight`, [features, shapeOf(builder, x).at(-1) ?? 1]);
  return applyLinear(builder, x, weight, bias ? parameter(builder, `${name}.bias`, [features]) : undefined);
}
