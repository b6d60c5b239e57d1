import { append } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { readBlocked } from '../../lowering/blocked/blockedLayout.ts';
import { float } from '../../lowering/lowering.ts';
import { gradientBy, likeFirst, none, operator, trainingOperator, type None } from '../operator.ts';

/**
 * x -> x * sigmoid(x) (Ramachandran et al. 2017). A record of its own so that only x is kept for the gradient, not the
 * sigmoid too.
 */
export const siluOperator = operator<None>('silu', {
  shape: likeFirst,
  gradient: (builder, node, dy) => gradientBy(builder, node, siluGradient, none, [dy, ...node.inputs]),
  onnx({ emit }, { inputs: [x = ''], outputs }) {
    emit('Mul', [x, emit('Sigmoid', [x])], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    lowering.emit('QuickGelu', node.inputs, { domain: 'com.microsoft', alpha: float(1) }, node.outputs[0]);
    return true;
  },
  tensorflow: (tf, input) => tf.mul(input(0), tf.sigmoid(input(0))),
  reference: (input) => input(0).map((x) => x / (1 + Math.exp(-x))),
  samples: {
    rows: { attributes: none, inputs: [{ shape: [3, 5] }] },
    'a map': { attributes: none, inputs: [{ shape: [2, 3, 4, 3], axes: 'image', value: (normal) => 3 * normal }] },
  },
});

/** dy, x -> dy * s * (1 + x - x s), with the sigmoid s of x */
export const siluGradient = trainingOperator<None>('siluGradient', {
  shape: likeFirst,
  onnx({ emit }, { inputs: [dy = '', x = ''], outputs }) {
    const s = emit('Sigmoid', [x]);
    const rest = emit('Sub', [x, emit('Mul', [x, s])]);
    emit('Mul', [dy, emit('Add', [s, emit('Mul', [s, rest])])], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
});

/** torch's SiLU, also called swish: x * sigmoid(x) (EfficientNet). */
export function silu(builder: GraphBuilder, x: string): string {
  return append(builder, siluOperator, none, [x]);
}
