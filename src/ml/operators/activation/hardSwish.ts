import { append } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { readBlocked } from '../../lowering/blocked/blockedLayout.ts';
import { float, type Lowering } from '../../lowering/lowering.ts';
import { gradientBy, likeFirst, none, operator, trainingOperator, type None } from '../operator.ts';

/**
 * x -> x * (x / 6 + 1/2, cut off below 0 and above 1) (Howard et al. 2019). A record of its own so that only x is kept for
 * the gradient, and both are computed in fewer passes.
 */
export const hardSwishOperator = operator<None>('hardSwish', {
  shape: likeFirst,
  gradient: (builder, node, dy) => gradientBy(builder, node, hardSwishGradient, none, [dy, ...node.inputs]),
  onnx(lowering, { inputs: [x = ''], outputs }) {
    lowering.emit('Mul', [x, hardSigmoidOf(lowering, x)], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  double(lowering, { inputs: [x = ''], outputs }) {
    lowering.emit('Mul', [x, hardSigmoidDouble(lowering, x)], {}, outputs[0]);
  },
  tensorflow(tf, input) {
    const gate = tf.add(tf.mul(tf.clipByValue(input(0), -3, 3), tf.scalar(1 / 6)), tf.scalar(0.5));
    return tf.mul(input(0), gate);
  },
  reference: (input) => input(0).map((x) => x * Math.min(1, Math.max(0, x / 6 + 0.5))),
  smooth: (input, _, margin) => input(0).every((x) => Math.abs(Math.abs(x) - 3) > margin),
  samples: {
    rows: { attributes: none, inputs: [{ shape: [3, 5], value: (normal) => 3 * normal }] },
    'a map': { attributes: none, inputs: [{ shape: [2, 3, 4, 3], axes: 'image', value: (normal) => 3 * normal }] },
  },
});

/** So large that it makes a step of a slope, and a power of two, so that products with it are exact. */
const steep = 2 ** 110;

/** dy, x -> dy * (gate of x + x / 6 where x is between -3 and 3) */
export const hardSwishGradient = trainingOperator<None>('hardSwishGradient', {
  shape: likeFirst,
  onnx(lowering, { inputs: [dy = '', x = ''], outputs }) {
    const { emit, floats } = lowering;
    const between = emit('HardSigmoid', [emit('Abs', [x])], { alpha: float(-steep), beta: float(3 * steep) });
    const slope = emit('Mul', [emit('Mul', [x, floats([1 / 6])]), between]);
    emit('Mul', [dy, emit('Add', [hardSigmoidOf(lowering, x), slope])], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  double(lowering, { inputs: [dy = '', x = ''], outputs }) {
    const { emit, floats, floatType } = lowering;
    const between = emit('Cast', [emit('Less', [emit('Abs', [x]), floats([3])])], { to: floatType });
    const slope = emit('Mul', [emit('Mul', [x, floats([1 / 6])]), between]);
    emit('Mul', [dy, emit('Add', [hardSigmoidDouble(lowering, x), slope])], {}, outputs[0]);
  },
});

function hardSigmoidOf({ emit }: Lowering, x: string): string {
  return emit('HardSigmoid', [x], { alpha: float(1 / 6), beta: float(0.5) });
}

/** In float64, which ONNX Runtime's CPU has no hard sigmoid for. */
function hardSigmoidDouble({ emit, floats }: Lowering, x: string): string {
  const cut = emit('Clip', [x, floats([-3]), floats([3])]);
  return emit('Add', [emit('Mul', [cut, floats([1 / 6])]), floats([0.5])]);
}

/** torch's Hardswish: x * hardSigmoid(x) (MobileNetV3). */
export function hardSwish(builder: GraphBuilder, x: string): string {
  return append(builder, hardSwishOperator, none, [x]);
}
