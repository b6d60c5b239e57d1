import { imageShape } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { relu } from '../../operators/activation/relu.ts';
import { linear } from '../../operators/matmul/linear.ts';
import { reshape } from '../../operators/movement/reshape.ts';
import { adaptiveAveragePool2d } from '../../operators/pooling/adaptiveAveragePool.ts';
import { ownDropout } from '../../operators/elementwise/dropout.ts';

export interface PooledLinearsOptions {
  /** Side of the map that the first Linear sees. */
  readonly side: number;
  /** Names of the modules in their order: Linears, each with a ReLU behind it, and dropouts. */
  readonly modules: readonly (readonly [kind: 'linear' | 'dropout', name: string])[];
  /** Size of what each Linear gives. */
  readonly features: number;
}

const dropoutRate = 0.5;

/** The classifier of AlexNet and VGG up to its last Linear: an adaptive average pool, then Linears and dropouts. */
export function pooledLinears(
  builder: GraphBuilder,
  map: string,
  { side, modules, features }: PooledLinearsOptions,
): string {
  const pooled = adaptiveAveragePool2d(builder, map, side);
  const [n, channels] = imageShape(builder, pooled);
  const rows = reshape(builder, pooled, [n, channels * side * side]);
  return modules.reduce(
    (x, [kind, name]) =>
      kind === 'linear' ? relu(builder, linear(builder, name, x, features)) : ownDropout(builder, name, x, dropoutRate),
    rows,
  );
}
