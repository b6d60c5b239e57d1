import { typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { reshape } from '../movement/reshape.ts';
import { mul } from './arithmetic.ts';

/**
 * The layer scale of CaiT and ConvNeXt (Touvron et al. 2021, https://arxiv.org/abs/2103.17239): `x` `[..., D]` times a
 * learned factor for each feature, `[D]`, or `[D, 1, 1]` as torchvision keeps it.
 */
export function layerScale(builder: GraphBuilder, x: string, factor: string): string {
  const { shape } = typeOf(builder, factor);
  return mul(builder, x, shape.length === 1 ? factor : reshape(builder, factor, [elementCount(shape)]));
}
