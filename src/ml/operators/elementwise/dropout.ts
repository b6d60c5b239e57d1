import { append, input as declareInput } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { gradientBy, likeFirst, operator, type OperatorRecord } from '../operator.ts';
import { broadcastSuitsBlocks, broadcastTakesPlain, combineDoubles, lowerBlockedElementwise } from './broadcast.ts';

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
  takesPlain: broadcastTakesPlain,
  suitsBlocks: broadcastSuitsBlocks,
  blocked: (lowering, node) => lowerBlockedElementwise(lowering, node, 'Mul'),
  tensorflow: (tf, input) => tf.mul(input(0), input(1)),
  reference: (input, run) => combineDoubles(input, run, (value = NaN, mask = NaN) => value * mask),
  samples: {
    rows: {
      attributes: { rate: 0.5 },
      inputs: [{ shape: [3, 5] }, { shape: [3, 5], fixed: true, value: (normal) => (normal > 0 ? 2 : 0) }],
    },
    'a mask per image': {
      attributes: { rate: 0.5 },
      inputs: [
        { shape: [2, 3, 2, 2], axes: 'image' },
        { shape: [2, 1, 1, 1], axes: 'image', fixed: true, value: (normal) => (normal > 0 ? 2 : 0) },
      ],
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

/** The dropout that a network has itself, as torch's module `name` with `rate`, unless the graph is made with another rate. */
export function ownDropout(builder: GraphBuilder, name: string, x: string, rate: number): string {
  return dropout(builder, name, x, builder.dropout === 'own' ? rate : builder.dropout);
}
