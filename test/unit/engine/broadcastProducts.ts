import { append, input, parameter } from '../../../src/ml/graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { mul } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { dropoutOperator } from '../../../src/ml/operators/elementwise/dropout.ts';
import { reshape } from '../../../src/ml/operators/movement/reshape.ts';

/** A map `[N, C, H, W]` times a mask `[N, 1, 1, 1]` that is an input, as stochastic depth has it. */
export function maskImages(b: GraphBuilder, name: string, x: string, rate: number): string {
  const mask = input(b, `${name}.mask`, [typeOf(b, x).shape[0] ?? 1, 1, 1, 1]);
  return append(b, dropoutOperator, { rate }, [x, mask]);
}

/** A map `[N, C, H, W]` times a parameter `[C]`. */
export function scaleChannels(b: GraphBuilder, name: string, x: string): string {
  const channels = typeOf(b, x).shape[1] ?? 1;
  return mul(b, x, reshape(b, parameter(b, name, [channels]), [1, channels, 1, 1], 'image'));
}
