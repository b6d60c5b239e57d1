import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { flatten } from '../../../src/ml/operators/movement/reshape.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';

export interface AroundOptions {
  readonly batchNorm?: 'running' | 'batch';
  /** Shape of what the operator sees. */
  readonly shape?: readonly [batch: number, channels: number, height: number, width: number];
}

/** A convolution before an operator and a classifier behind it, so that gradients go through the operator both ways. */
export function around(build: (builder: GraphBuilder, x: string) => string, options: AroundOptions = {}): Graph {
  const { batchNorm = 'running', shape = [2, 4, 7, 6] } = options;
  const [batch, channels, height, width] = shape;
  const builder = createGraphBuilder(batchNorm);
  const images = input(builder, 'x', [batch, 2, height, width]);
  const x = conv2d(builder, 'before', images, { channels, kernel: 1 });
  const y = build(builder, x);
  const row = typeOf(builder, y).shape.length === 4 ? flatten(builder, y) : y;
  return finishGraph(builder, [logSoftmax(builder, linear(builder, 'behind', row, 3))]);
}
