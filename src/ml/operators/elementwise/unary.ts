import { append } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { readBlocked } from '../../lowering/blocked/blockedLayout.ts';
import { float, type Lowering } from '../../lowering/lowering.ts';
import {
  gradientBy,
  likeFirst,
  none,
  operator,
  trainingOperator,
  type None,
  type OperatorRecord,
} from '../operator.ts';
import type { DeviceTensor, TensorFlow } from '../tensorflow.ts';
import { affine } from './affine.ts';
import { div, mul, sub } from './arithmetic.ts';

interface Unary {
  readonly onnx: string;
  readonly double?: (lowering: Lowering, x: string, output: string | undefined) => unknown;
  readonly compute: (x: number) => number;
  readonly tensorflow: (tf: TensorFlow, x: DeviceTensor) => DeviceTensor;
  readonly gradient: (builder: GraphBuilder, dy: string, x: string, y: string) => string;
  /** Draws an input from a standard normal number, if not every number will do. */
  readonly value?: (normal: number) => number;
}

/** An operator on each element of a value by itself. */
function unary(name: string, rules: Unary): OperatorRecord<None> {
  const { double, value } = rules;
  return operator<None>(name, {
    shape: likeFirst,
    gradient: (builder, { inputs: [x = ''], outputs: [y = ''] }, dy) => [[x, rules.gradient(builder, dy, x, y)]],
    onnx({ emit }, { inputs, outputs }) {
      emit(rules.onnx, inputs, {}, outputs[0]);
    },
    blocked(lowering, node) {
      readBlocked(lowering, node);
      return false;
    },
    ...(double && { double: (lowering, { inputs: [x = ''], outputs }) => double(lowering, x, outputs[0]) }),
    tensorflow: (tf, input) => rules.tensorflow(tf, input(0)),
    reference: (input) => input(0).map(rules.compute),
    samples: {
      rows: { attributes: none, inputs: [{ shape: [3, 5], ...(value && { value }) }] },
      'a map': { attributes: none, inputs: [{ shape: [2, 3, 2, 2], axes: 'image', ...(value && { value }) }] },
    },
  });
}

const positive = (normal: number) => Math.abs(normal) + 0.3;

/** x -> e to the x */
export const expOperator = unary('exp', {
  onnx: 'Exp',
  compute: Math.exp,
  tensorflow: (tf, x) => tf.exp(x),
  gradient: (builder, dy, _, y) => mul(builder, dy, y),
});

/** x -> natural logarithm */
export const logOperator = unary('log', {
  onnx: 'Log',
  compute: Math.log,
  tensorflow: (tf, x) => tf.log(x),
  gradient: (builder, dy, x) => div(builder, dy, x),
  value: positive,
});

/** x -> square root */
export const sqrtOperator = unary('sqrt', {
  onnx: 'Sqrt',
  compute: Math.sqrt,
  tensorflow: (tf, x) => tf.sqrt(x),
  gradient: (builder, dy, _, y) => affine(builder, div(builder, dy, y), { scale: 0.5 }),
  value: positive,
});

/** x -> 1 / x */
export const reciprocalOperator = unary('reciprocal', {
  onnx: 'Reciprocal',
  compute: (x) => 1 / x,
  tensorflow: (tf, x) => tf.reciprocal(x),
  gradient: (builder, dy, _, y) => affine(builder, mul(builder, dy, mul(builder, y, y)), { scale: -1 }),
  value: positive,
});

/** x -> hyperbolic tangent */
export const tanhOperator = unary('tanh', {
  onnx: 'Tanh',
  compute: Math.tanh,
  tensorflow: (tf, x) => tf.tanh(x),
  gradient: (builder, dy, _, y) => mul(builder, dy, affine(builder, mul(builder, y, y), { scale: -1, shift: 1 })),
});

/** x -> 1 / (1 + exp(-x)) */
export const sigmoidOperator = unary('sigmoid', {
  onnx: 'Sigmoid',
  compute: (x) => 1 / (1 + Math.exp(-x)),
  tensorflow: (tf, x) => tf.sigmoid(x),
  gradient: (builder, dy, _, y) => mul(builder, dy, sub(builder, y, mul(builder, y, y))),
});

/** Where a value is cut off. An end may be infinite: then nothing is cut off there. */
export interface Ends {
  readonly low: number;
  readonly high: number;
}

/** x -> the nearest value from `low` to `high`; the gradient goes through between them, and not at the ends, as torch's ReLU6 */
export const clipOperator = operator<Ends>('clip', {
  shape: likeFirst,
  gradient: (builder, node, dy) => gradientBy(builder, node, clipGradient, node.attributes, [dy, ...node.outputs]),
  onnx({ emit, floats }, { inputs: [x = ''], attributes: { low, high }, outputs }) {
    emit('Clip', [x, floats([low]), floats([high])], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  tensorflow: (tf, input, { attributes: { low, high } }) => tf.clipByValue(input(0), low, high),
  reference: (input, { attributes: { low, high } }) => input(0).map((x) => Math.min(high, Math.max(low, x))),
  smooth: (input, { attributes: { low, high } }, margin) =>
    input(0).every((x) => Math.abs(x - low) > margin && Math.abs(x - high) > margin),
  samples: {
    rows: { attributes: { low: -0.5, high: 0.8 }, inputs: [{ shape: [4, 5] }] },
    'rows with no upper end': { attributes: { low: -0.5, high: Infinity }, inputs: [{ shape: [4, 5] }] },
    'rows with no lower end': { attributes: { low: -Infinity, high: 0.8 }, inputs: [{ shape: [4, 5] }] },
    'a map from zero to six': {
      attributes: { low: 0, high: 6 },
      inputs: [{ shape: [2, 3, 4, 3], axes: 'image', value: (normal) => 5 * normal }],
    },
  },
});

/** A power of two, so that products with it are exact, and so large that it makes a step of a slope. */
const steep = 2 ** 110;

/** dy, y -> dy where y is between the ends, else 0 */
export const clipGradient = trainingOperator<Ends>('clipGradient', {
  shape: likeFirst,
  /** Masks as hard sigmoids with a very steep slope, the fastest kernel that ONNX Runtime's CPU has for them. */
  onnx({ emit }, { inputs: [dy = '', y = ''], attributes: { low, high }, outputs }) {
    const above = () => emit('HardSigmoid', [y], { alpha: float(steep), beta: float(-low * steep) });
    const below = () => emit('HardSigmoid', [y], { alpha: float(-steep), beta: float(high * steep) });
    if (low === -Infinity) emit('Mul', [dy, below()], {}, outputs[0]);
    else if (high === Infinity) emit('Mul', [dy, above()], {}, outputs[0]);
    else emit('Mul', [emit('Mul', [dy, above()]), below()], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  double({ emit, floats, floatType }, { inputs: [dy = '', y = ''], attributes: { low, high }, outputs }) {
    const inside = emit('And', [emit('Greater', [y, floats([low])]), emit('Less', [y, floats([high])])]);
    emit('Mul', [dy, emit('Cast', [inside], { to: floatType })], {}, outputs[0]);
  },
});

/** The nearest value from `low` to `high`; either may be infinite. */
export function clip(builder: GraphBuilder, x: string, low: number, high: number): string {
  return append(builder, clipOperator, { low, high }, [x]);
}

export function exp(builder: GraphBuilder, x: string): string {
  return append(builder, expOperator, none, [x]);
}

export function log(builder: GraphBuilder, x: string): string {
  return append(builder, logOperator, none, [x]);
}

export function sqrt(builder: GraphBuilder, x: string): string {
  return append(builder, sqrtOperator, none, [x]);
}

export function reciprocal(builder: GraphBuilder, x: string): string {
  return append(builder, reciprocalOperator, none, [x]);
}

export function tanh(builder: GraphBuilder, x: string): string {
  return append(builder, tanhOperator, none, [x]);
}

export function sigmoid(builder: GraphBuilder, x: string): string {
  return append(builder, sigmoidOperator, none, [x]);
}
