import { append } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { readBlocked } from '../../lowering/blocked/blockedLayout.ts';
import { gradientBy, likeFirst, operator, type OperatorRecord } from '../operator.ts';

export interface Affine {
  readonly scale: number;
  readonly shift: number;
}

/** x -> scale * x + shift, two constants */
export const affineOperator: OperatorRecord<Affine> = operator<Affine>('affine', {
  shape: likeFirst,
  gradient: (builder, node, dy) =>
    gradientBy(builder, node, affineOperator, { scale: node.attributes.scale, shift: 0 }, [dy]),
  onnx({ emit, floats }, { inputs: [x = ''], attributes: { scale, shift }, outputs }) {
    if (shift === 0) emit('Mul', [x, floats([scale])], {}, outputs[0]);
    else emit('Add', [scale === 1 ? x : emit('Mul', [x, floats([scale])]), floats([shift])], {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  tensorflow: (tf, input, { attributes: { scale, shift } }) =>
    tf.add(tf.mul(input(0), tf.scalar(scale)), tf.scalar(shift)),
  reference: (input, { attributes: { scale, shift } }) => input(0).map((x) => scale * x + shift),
  samples: {
    rows: { attributes: { scale: -2, shift: 0.5 }, inputs: [{ shape: [3, 5] }] },
    'a shift': { attributes: { scale: 1, shift: 3 }, inputs: [{ shape: [4] }] },
  },
});

/** `scale` times x plus `shift`. */
export function affine(builder: GraphBuilder, x: string, { scale = 1, shift = 0 }: Partial<Affine>): string {
  return append(builder, affineOperator, { scale, shift }, [x]);
}
