import { parameter } from '../../graph/builder.ts';
import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { affine } from '../elementwise/affine.ts';
import { add, div, mul } from '../elementwise/arithmetic.ts';
import { reshape } from '../movement/reshape.ts';
import { mean } from '../reduce/meanAndMax.ts';
import { euclideanLength } from './unitLength.ts';

const epsilon = 1e-6;

/**
 * ConvNeXt V2's global response norm (Woo et al. 2023) under the module name `name`: every channel by its length over all
 * pixels, in proportion to the mean of these lengths; x + (weight * x * proportion + bias). An image `[N, C, H, W]` or
 * plain values `[N, H, W, C]` -> the same.
 */
export function globalResponseNorm(builder: GraphBuilder, name: string, x: string): string {
  const { shape, axes } = typeOf(builder, x);
  const channelAxis = axes === 'image' ? 1 : 3;
  const pixelAxes = [1, 2, 3].filter((axis) => axis !== channelAxis);
  const channels = shape[channelAxis] ?? 1;
  const perChannel = [0, 1, 2, 3].map((axis) => (axis === channelAxis ? channels : 1));
  const [weight = '', bias = ''] = ['weight', 'bias'].map((part) =>
    reshape(builder, parameter(builder, `${name}.${part}`, [channels]), perChannel, axes),
  );
  const lengths = euclideanLength(builder, x, pixelAxes);
  const average = affine(builder, mean(builder, lengths, [channelAxis]), { shift: epsilon });
  const scale = affine(builder, mul(builder, weight, div(builder, lengths, average)), { shift: 1 });
  return add(builder, mul(builder, x, scale), bias);
}
