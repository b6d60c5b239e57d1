import { append, imageShape, parameter } from '../../graph/builder.ts';
import { floats, type GraphBuilder, type Gradient, type Node } from '../../graph/graph.ts';
import { float, type Lowering } from '../../lowering/lowering.ts';
import { affine } from '../elementwise/affine.ts';
import { mul, sub } from '../elementwise/arithmetic.ts';
import { reciprocal, sqrt } from '../elementwise/unary.ts';
import { transpose } from '../movement/transpose.ts';
import { operator, shapeOf, type Doubles, type Run } from '../operator.ts';
import { mean } from '../reduce/meanAndMax.ts';
import { sumTo } from '../reduce/reduceSum.ts';
import { at } from '../references.ts';

interface Epsilon {
  readonly epsilon: number;
}

/**
 * x `[..., D]`, weight `[D]`, bias `[D]` -> y, mean, inverse standard deviation, the last two `[..., 1]` (Ba et al.
 * 2016). A record of its own because ONNX Runtime computes it in one pass.
 */
export const layerNormOperator = operator<Epsilon>('layerNorm', {
  shape([x, weight, bias]) {
    const { shape = [], axes = 'plain' } = x ?? {};
    const size = shape.at(-1);
    if (
      axes !== 'plain' ||
      size === undefined ||
      weight?.shape.join() !== `${size}` ||
      bias?.shape.join() !== `${size}`
    ) {
      throw new Error(`[${shape.join(', ')}] has no last axis to normalise with these parameters`);
    }
    const statistics = floats([...shape.slice(0, -1), 1]);
    return [floats(shape), statistics, statistics];
  },
  /** dx = (g - mean of g - n * mean of g n) / s, with g = dy * weight and the normalised n, by row. */
  gradient(builder, { inputs, outputs }, dy, needed) {
    const [x = '', weight = '', bias = ''] = inputs;
    const [, centre = '', inverse = ''] = outputs;
    const gradients: Gradient[] = [];
    const normalised = mul(builder, sub(builder, x, centre), inverse);
    if (needed(weight)) gradients.push([weight, sumTo(builder, mul(builder, dy, normalised), weight)]);
    if (needed(bias)) gradients.push([bias, sumTo(builder, dy, bias)]);
    if (needed(x)) {
      const last = [shapeOf(builder, x).length - 1];
      const g = mul(builder, dy, weight);
      const along = mul(builder, normalised, mean(builder, mul(builder, g, normalised), last));
      gradients.push([x, mul(builder, sub(builder, sub(builder, g, mean(builder, g, last)), along), inverse)]);
    }
    return gradients;
  },
  onnx({ emitMany }, { inputs, attributes, outputs }) {
    emitMany('LayerNormalization', inputs, { axis: -1, epsilon: float(attributes.epsilon) }, outputs);
  },
  webgpu(lowering, node) {
    lowerByReductions(lowering, node);
    return true;
  },
  // ONNX Runtime gives the statistics of float64 in float32.
  double: lowerByReductions,
  tensorflow(tf, input, { attributes: { epsilon } }) {
    const x = input(0);
    const centre = tf.mean(x, -1, true);
    const centred = tf.sub(x, centre);
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), tf.scalar(epsilon)));
    return [tf.add(tf.mul(tf.mul(centred, inverse), input(1)), input(2)), centre, inverse];
  },
  reference: normaliseRows,
  samples: {
    rows: { attributes: { epsilon: 1e-5 }, inputs: [{ shape: [3, 6] }, { shape: [6] }, { shape: [6] }] },
    tokens: { attributes: { epsilon: 1e-6 }, inputs: [{ shape: [2, 3, 5] }, { shape: [5] }, { shape: [5] }] },
  },
});

/** WebGPU's kernel gives no statistics, which the gradient needs. */
function lowerByReductions({ emit, floats: constant }: Lowering, { inputs, attributes, outputs }: Node<Epsilon>): void {
  const [x = '', weight = '', bias = ''] = inputs;
  const [y, centre = '', inverse = ''] = outputs;
  emit('ReduceMean', [x], { axes: [-1], keepdims: 1 }, centre);
  const centred = emit('Sub', [x, centre]);
  const variance = emit('ReduceMean', [emit('Mul', [centred, centred])], { axes: [-1], keepdims: 1 });
  emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, constant([attributes.epsilon])])])], {}, inverse);
  emit('Add', [emit('Mul', [emit('Mul', [centred, inverse]), weight]), bias], {}, y);
}

function normaliseRows(input: (index: number) => Doubles, { attributes, inputs: [type] }: Run<Epsilon>): Doubles[] {
  const size = type?.shape.at(-1) ?? 1;
  const x = input(0);
  const rows = x.length / size;
  const [means, inverses] = [new Float64Array(rows), new Float64Array(rows)];
  const y = new Float64Array(x.length);
  for (let row = 0; row < rows; row++) {
    const values = x.slice(row * size, (row + 1) * size);
    const centre = values.reduce((total, value) => total + value, 0) / size;
    const variance = values.reduce((total, value) => total + (value - centre) ** 2, 0) / size;
    means[row] = centre;
    inverses[row] = 1 / Math.sqrt(variance + attributes.epsilon);
    for (let i = 0; i < size; i++) {
      y[row * size + i] = (at(values, i) - centre) * at(inverses, row) * at(input(1), i) + at(input(2), i);
    }
  }
  return [y, means, inverses];
}

interface LayerNormParameters {
  readonly weight: string;
  readonly bias: string;
}

/** Declares the parameters of a LayerNorm over `size` values under the module name `name`. */
export function layerNormParameters(builder: GraphBuilder, name: string, size: number): LayerNormParameters {
  const weight = parameter(builder, `${name}.weight`, [size]);
  return { weight, bias: parameter(builder, `${name}.bias`, [size]) };
}

/** A LayerNorm over the last axis whose parameters have been declared: `[..., D]` -> the same. */
export function applyLayerNorm(
  builder: GraphBuilder,
  x: string,
  { weight, bias }: LayerNormParameters,
  epsilon = 1e-5,
): string {
  return append(builder, layerNormOperator, { epsilon }, [x, weight, bias]);
}

/** torch's LayerNorm over the last axis under the module name `name`: `[..., D]` -> the same. */
export function layerNorm(builder: GraphBuilder, name: string, x: string, epsilon = 1e-5): string {
  const size = shapeOf(builder, x).at(-1) ?? 1;
  return applyLayerNorm(builder, x, layerNormParameters(builder, name, size), epsilon);
}

/** torchvision's LayerNorm2d: over the channels of every pixel, `[N, C, H, W]` -> the same (ConvNeXt). */
export function layerNorm2d(builder: GraphBuilder, name: string, x: string, epsilon = 1e-6): string {
  imageShape(builder, x);
  const last = transpose(builder, x, [0, 2, 3, 1]);
  return transpose(builder, layerNorm(builder, name, last, epsilon), [0, 3, 1, 2], 'image');
}

/** torch's RMSNorm over the last axis under the module name `name` (Zhang and Sennrich 2019): `[..., D]` -> the same. */
export function rmsNorm(builder: GraphBuilder, name: string, x: string, epsilon = 1e-6): string {
  const shape = shapeOf(builder, x);
  const weight = parameter(builder, `${name}.weight`, [shape.at(-1) ?? 1]);
  const squares = mean(builder, mul(builder, x, x), [shape.length - 1]);
  const inverse = reciprocal(builder, sqrt(builder, affine(builder, squares, { shift: epsilon })));
  return mul(builder, mul(builder, x, inverse), weight);
}
