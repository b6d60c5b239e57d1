import type { GraphBuilder } from '../../graph/graph.ts';
import { dropout } from '../../operators/elementwise/dropout.ts';
import { linear } from '../../operators/matmul/linear.ts';
import { logSoftmax } from '../../operators/loss/logSoftmax.ts';
import { relu } from '../../operators/activation/relu.ts';

/** The classifier that takes the place of a network's own. */
export interface HeadOptions {
  /** Sizes of the hidden layers; empty for a linear head. */
  readonly hidden: readonly number[];
  /** Dropout after each hidden layer, from 0 to below 1. */
  readonly dropout: number;
  readonly classes: number;
}

/**
 * Appends the report's head under the module name `module`: features `[N, F]` -> log-probabilities `[N, classes]`.
 * For each hidden size Linear, ReLU, dropout (`hidden_layers.0`, ...), then Linear (`output`) and log-softmax. Masks are
 * inputs named `${module}.hidden_layers.${i}.dropout.mask`.
 */
export function buildHead(builder: GraphBuilder, module: string, features: string, options: HeadOptions): string {
  let x = features;
  for (const [index, size] of options.hidden.entries()) {
    const layer = `${module}.hidden_layers.${index}`;
    x = relu(builder, linear(builder, layer, x, size));
    x = dropout(builder, `${layer}.dropout`, x, options.dropout);
  }
  return logSoftmax(builder, linear(builder, `${module}.output`, x, options.classes));
}

/** Number of parameter tensors of a head: a weight and a bias for each Linear. */
export function headTensorCount(options: Pick<HeadOptions, 'hidden'>): number {
  return 2 * (options.hidden.length + 1);
}
