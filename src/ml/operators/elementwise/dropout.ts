import { append, input as declareInput } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { readBlocked } from '../../lowering/blocked/blockedLayout.ts';
import { gradientBy, likeFirst, operator, type OperatorRecord } from '../operator.ts';
import { at } from '../references.ts';

export interface Dropout {
  readonly rate: number;
}

/** x, mask -> x * mask; the mask is an input that holds 0 or 1 / (1 - rate); left out of inference graphs */
export const dropoutOperator: OperatorRecord<Dropout> = operator<Dropout>('dropout', {
  shape: likeFirst,
  gradient: (builder, node, dy) =>
    gradientBy(builder, node, dropoutOperator, node.attributes, [dy, node.inputs[1] ?? '']),
  onnx({ emit }, { inputs, outputs }) {
    emit('Mul', inputs, {}, outputs[0]);
  },
  blocked(lowering, node) {
    readBlocked(lowering, node);
    return false;
  },
  tensorflow: (tf, input) => tf.mul(input(0), input(1)),
  reference: (input) => input(0).map((value, index) => value * at(input(1), index)),
  samples: {
    rows: {
      attributes: { rate: 0.5 },
      inputs: [{ shape: [3, 5] }, { shape: [3, 5], fixed: true, value: (normal) => (normal > 0 ? 2 : 0) }],
    },
    'a map': {
      attributes: { rate: 0.5 },
      inputs: [
        { shape: [2, 3, 2, 2], axes: 'image' },
        { shape: [2, 3, 2, 2], axes: 'image', fixed: true, value: (normal) => (normal > 0 ? 2 : 0) },
      ],
    },
  },
});

/**
 * Dropout: multiplies with a mask that is an input of the graph, named `${name}.mask`, so that the randomness is the
 * caller's, seeded, and the same in every engine. Left out (returns `x`) at rate 0.
 */
export function dropout(builder: GraphBuilder, name: string, x: string, rate: number): string {
  if (rate === 0) return x;
  const { shape, dtype, axes } = typeOf(builder, x);
  const mask = declareInput(builder, `${name}.mask`, shape, dtype, axes);
  return append(builder, dropoutOperator, { rate }, [x, mask]);
}
