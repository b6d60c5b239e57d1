import { imageShape } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { relu } from '../../operators/activation/relu.ts';
import { linear } from '../../operators/matmul/linear.ts';
import { reshape } from '../../operators/movement/reshape.ts';
import { adaptiveAveragePool2d } from '../../operators/pooling/adaptiveAveragePool.ts';

export interface PooledLinearsOptions {
  /** Side of the map that the first Linear sees. */
  readonly side: number;
  /** Names of the Linears' modules. */
  readonly linears: readonly string[];
  /** Size of what each gives. */
  readonly features: number;
}

/** The classifier of AlexNet and VGG up to its last Linear: an adaptive average pool, then Linears with ReLU behind each. */
export function pooledLinears(
  builder: GraphBuilder,
  map: string,
  { side, linears, features }: PooledLinearsOptions,
): string {
  const pooled = adaptiveAveragePool2d(builder, map, side);
  const [n, channels] = imageShape(builder, pooled);
  const rows = reshape(builder, pooled, [n, channels * side * side]);
  return linears.reduce((x, name) => relu(builder, linear(builder, name, x, features)), rows);
}
