import { append } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { mul, sub } from '../elementwise/arithmetic.ts';
import { likeFirst, none, operator, shapeOf, type None } from '../operator.ts';
import { sum } from '../reduce/reduceSum.ts';

/** x -> exp(x) over its sum along the last axis */
export const softmaxOperator = operator<None>('softmax', {
  shape: likeFirst,
  gradient(builder, { inputs: [x = ''], outputs: [y = ''] }, dy) {
    const last = shapeOf(builder, x).length - 1;
    const share = sum(builder, mul(builder, dy, y), [last]);
    return [[x, mul(builder, y, sub(builder, dy, share))]];
  },
  onnx({ emit }, { inputs, outputs }) {
    emit('Softmax', inputs, { axis: -1 }, outputs[0]);
  },
  tensorflow: (tf, input) => tf.softmax(input(0)),
  reference(input, { inputs: [type] }) {
    const columns = type?.shape.at(-1) ?? 1;
    const x = input(0);
    return x.map((value, index) => {
      const start = index - (index % columns);
      return Math.exp(value) / x.slice(start, start + columns).reduce((total, other) => total + Math.exp(other), 0);
    });
  },
  samples: {
    rows: { attributes: none, inputs: [{ shape: [3, 5] }] },
    'scores of attention': { attributes: none, inputs: [{ shape: [2, 2, 3, 4] }] },
  },
});

/** Probabilities along the last axis. */
export function softmax(builder: GraphBuilder, x: string): string {
  return append(builder, softmaxOperator, none, [x]);
}
