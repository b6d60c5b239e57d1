import { channelSum } from '../../lowering/channelSum.ts';
import { float, type Lowering } from '../../lowering/lowering.ts';

/** Per-channel `a * x + b` in one pass over the map: a batch normalisation with mean 0 and variance 1. */
export function plainAffine(
  lowering: Lowering,
  x: string,
  a: string,
  b: string,
  channels: number,
  output?: string,
): string {
  const zeros = lowering.floats(new Array<number>(channels).fill(0), [channels]);
  const ones = lowering.floats(new Array<number>(channels).fill(1), [channels]);
  return lowering.emit('BatchNormalization', [x, a, b, zeros, ones], { epsilon: float(0) }, output);
}

/** Sums over all but the channels of dy and of dy * x. */
export function gradientSums(lowering: Lowering, dy: string, x: string): { sum: string; product: string } {
  const { shape } = lowering.typeOf(x);
  const sum = channelSum(lowering, dy, shape);
  return { sum, product: channelSum(lowering, lowering.emit('Mul', [dy, x]), shape) };
}
