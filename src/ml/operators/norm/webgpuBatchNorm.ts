import type { Node } from '../../graph/graph.ts';
import { channelMoments } from '../../lowering/channelMoments.ts';
import { float, type Lowering, type Moments } from '../../lowering/lowering.ts';
import { pooledSum } from '../../lowering/webgpu/webgpuSums.ts';

function computeMoments(lowering: Lowering, image: string): Moments {
  const { shape } = lowering.typeOf(image);
  const share = 1 / valuesOfChannel(shape);
  return {
    mean: pooledSum(lowering, image, shape, share),
    meanSquare: pooledSum(lowering, lowering.emit('Mul', [image, image]), shape, share),
  };
}

function valuesOfChannel([n = 1, , height = 1, width = 1]: readonly number[]): number {
  return n * height * width;
}

/** The plain form, `lowerPlain` of batchNormTraining.ts, with other sums. */
export function lowerWebgpuBatchNorm(lowering: Lowering, node: Node<{ readonly epsilon: number }>): void {
  const { emit, floats } = lowering;
  const [x = '', weight = '', bias = ''] = node.inputs;
  const [y, meanName = '', inverseDeviation, unbiased] = node.outputs;
  const count = valuesOfChannel(lowering.typeOf(x).shape);
  const { mean, meanSquare } = channelMoments(
    lowering,
    x,
    () => true,
    (image) => computeMoments(lowering, image),
  );
  lowering.alias.set(meanName, mean);
  const variance = emit('Relu', [emit('Sub', [meanSquare, emit('Mul', [mean, mean])])]);
  emit('BatchNormalization', [x, weight, bias, mean, variance], { epsilon: float(node.attributes.epsilon) }, y);
  emit(
    'Reciprocal',
    [emit('Sqrt', [emit('Add', [variance, floats([node.attributes.epsilon])])])],
    {},
    inverseDeviation,
  );
  emit('Mul', [variance, floats([count > 1 ? count / (count - 1) : 1])], {}, unbiased);
}

/** dx = a (dy - mean of dy) - a dweight / (s M) (x - mean), with a = weight / s, standard deviation s and M values a channel. */
export function lowerWebgpuBatchNormGradient(lowering: Lowering, node: Node): void {
  const { emit, floats } = lowering;
  const [dy = '', x = '', weight = '', mean = '', inverseDeviation = ''] = node.inputs;
  const [dx, dweight, dbias] = node.outputs;
  const { shape } = lowering.typeOf(x);
  const count = valuesOfChannel(shape);
  const dyMean = pooledSum(lowering, dy, shape, 1 / count);
  const product = pooledSum(lowering, emit('Mul', [dy, x]), shape, 1 / count);
  const share = emit('Mul', [emit('Sub', [product, emit('Mul', [mean, dyMean])]), inverseDeviation]);
  emit('Mul', [dyMean, floats([count])], {}, dbias);
  emit('Mul', [share, floats([count])], {}, dweight);
  const a = emit('Mul', [weight, inverseDeviation]);
  const centred = (image: string, scale: string, centre: string) => {
    const [, channels = 1] = shape;
    const each = (value: number) => floats(new Array<number>(channels).fill(value), [channels]);
    return emit('BatchNormalization', [image, scale, each(0), centre, each(1)], { epsilon: float(0) });
  };
  const along = emit('Mul', [a, emit('Mul', [share, inverseDeviation])]);
  emit('Sub', [centred(dy, a, dyMean), centred(x, along, mean)], {}, dx);
}
