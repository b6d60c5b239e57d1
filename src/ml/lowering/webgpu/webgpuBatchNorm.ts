import type { Node, NodeOf } from '../../graph/graph.ts';
import { placeName } from '../../graph/nodePlaces.ts';
import { channelMoments, type Moments } from '../channelMoments.ts';
import { float, type Lowering } from '../lowering.ts';
import { splitRow } from '../splitRow.ts';
import { pooledSum } from './webgpuSums.ts';

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

/** The plain form, `lowerBatchNormTraining` of lowerBatchNorm.ts, with other sums. */
export function lowerWebgpuBatchNorm(lowering: Lowering, node: NodeOf<'batchNormTraining'>): void {
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
  emit('BatchNormalization', [x, weight, bias, mean, variance], { epsilon: float(node.epsilon) }, y);
  emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, floats([node.epsilon])])])], {}, inverseDeviation);
  emit('Mul', [variance, floats([count > 1 ? count / (count - 1) : 1])], {}, unbiased);
}

/** dx = a (dy - mean of dy) - a dweight / (s M) (x - mean), with a = weight / s, standard deviation s and M values a channel. */
export function lowerWebgpuBatchNormGradient(lowering: Lowering, node: NodeOf<'batchNormTrainingGradient'>): void {
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

/** All running averages of a step together, because each operator has its price. */
export function lowerRunningAverages(lowering: Lowering, nodes: readonly Node[]): void {
  const { emit, floats } = lowering;
  const averages = nodes.filter((node) => node.op === 'runningAverage');
  for (const momentum of new Set(averages.map((node) => node.momentum))) {
    const joined = averages.filter((node) => node.momentum === momentum);
    const [first] = joined;
    if (first) lowering.place = placeName(first, { layer: 'joined', phase: 'forward' });
    const row = (index: 0 | 1) =>
      emit(
        'Concat',
        joined.map(({ inputs }) => inputs[index] ?? ''),
        { axis: 0 },
      );
    const kept = emit('Mul', [row(0), floats([1 - momentum])]);
    const next = emit('Add', [kept, emit('Mul', [row(1), floats([momentum])])]);
    const sizes = joined.map(({ inputs }) => lowering.typeOf(inputs[0] ?? '').shape[0] ?? 0);
    const outputs = joined.map((node) => node.outputs[0] ?? '');
    splitRow(lowering, next, sizes, outputs);
  }
}
