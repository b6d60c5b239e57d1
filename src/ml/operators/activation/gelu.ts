import { append } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { readBlocked } from '../../lowering/blocked/blockedLayout.ts';
import { float, type Lowering } from '../../lowering/lowering.ts';
import { erfDouble, lowerErfDouble } from '../elementwise/erf.ts';
import { gradientBy, likeFirst, none, operator, trainingOperator, type None } from '../operator.ts';

/**
 * x -> x times the normal distribution's integral up to x (Hendrycks and Gimpel 2016). A record of its own so that only x
 * is kept for the gradient: composed, it keeps three values of that size.
 */
export const geluOperator = operator<None>('gelu', {
  shape: likeFirst,
  gradient: (builder, node, dy) => gradientBy(builder, node, geluGradient, none, [dy, ...node.inputs]),
  onnx({ emit, floats }, { inputs: [x = ''], outputs }) {
    // As ONNX Runtime's optimizer knows it.
    const erf = emit('Erf', [emit('Div', [x, floats([Math.SQRT2])])]);
    emit('Mul', [emit('Mul', [x, emit('Add', [erf, floats([1])])]), floats([0.5])], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  double(lowering, { inputs: [x = ''], outputs }) {
    lowering.emit('Mul', [x, integralDouble(lowering, x)], {}, outputs[0]);
  },
  tensorflow(tf, input) {
    const integral = tf.add(tf.erf(tf.mul(input(0), tf.scalar(Math.SQRT1_2))), tf.scalar(1));
    return tf.mul(tf.mul(input(0), integral), tf.scalar(0.5));
  },
  reference: (input) => input(0).map((x) => (x * (1 + erfDouble(x * Math.SQRT1_2))) / 2),
  samples: {
    tokens: { attributes: none, inputs: [{ shape: [2, 3, 5] }] },
    'a map': { attributes: none, inputs: [{ shape: [2, 3, 4, 3], axes: 'image', value: (normal) => 3 * normal }] },
  },
});

const densityAtZero = 1 / Math.sqrt(2 * Math.PI);

/** dy, x -> dy * (integral up to x + x * density at x) */
export const geluGradient = trainingOperator<None>('geluGradient', {
  shape: likeFirst,
  onnx(lowering, { inputs: [dy = '', x = ''], outputs }) {
    const { emit, floats } = lowering;
    const erf = emit('Erf', [emit('Mul', [x, floats([Math.SQRT1_2])])]);
    // 0.5 * erf + 0.5 in one pass: it is between 0 and 1.
    const integral = emit('HardSigmoid', [erf], { alpha: float(0.5), beta: float(0.5) });
    emit('Mul', [dy, emit('Add', [integral, timesDensity(lowering, x)])], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  double(lowering, { inputs: [dy = '', x = ''], outputs }) {
    const slope = lowering.emit('Add', [integralDouble(lowering, x), timesDensity(lowering, x)]);
    lowering.emit('Mul', [dy, slope], {}, outputs[0]);
  },
});

/** x times the normal distribution's density at x */
function timesDensity({ emit, floats }: Lowering, x: string): string {
  const bell = emit('Exp', [emit('Mul', [x, emit('Mul', [x, floats([-0.5])])])]);
  return emit('Mul', [emit('Mul', [x, floats([densityAtZero])]), bell]);
}

/** The normal distribution's integral up to x, in float64. */
function integralDouble(lowering: Lowering, x: string): string {
  const { emit, floats } = lowering;
  const scaled = emit('Mul', [x, floats([Math.SQRT1_2])]);
  const erf = lowerErfDouble(lowering, scaled, lowering.typeOf(x).shape);
  return emit('Mul', [emit('Add', [erf, floats([1])]), floats([0.5])]);
}

/** torch's GELU: x times the normal distribution's integral up to x. */
export function gelu(builder: GraphBuilder, x: string): string {
  return append(builder, geluOperator, none, [x]);
}
