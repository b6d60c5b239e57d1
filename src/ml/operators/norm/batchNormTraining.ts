import { appendAll, imageShape, sizesOfImage } from '../../graph/builder.ts';
import { floats, type Node } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { blocked, isBlocked } from '../../lowering/blocked/blockedLayout.ts';
import { blockedMeans, blockedSums, blockedSumsOfProducts } from '../../lowering/blocked/blockedSums.ts';
import { cutFromLaterJoin } from '../../lowering/blocked/cutChannels.ts';
import { defersMultiple, leaveMultiple } from '../../lowering/blocked/deferredMultiples.ts';
import { defersScale } from '../../lowering/blocked/deferredScale.ts';
import { affine, noteNormalized } from '../../lowering/blocked/recompute.ts';
import { channelMoments } from '../../lowering/channelMoments.ts';
import { float, type Lowering, type Moments } from '../../lowering/lowering.ts';
import { operator, trainingOperator, type Doubles, type None, type Run } from '../operator.ts';
import { at, perChannel, sizesOf } from '../references.ts';
import { asImage } from '../tensorflow.ts';
import { gradientSums, plainAffine } from './plainBatchNorm.ts';
import { lowerWebgpuBatchNorm, lowerWebgpuBatchNormGradient } from './webgpuBatchNorm.ts';

export interface Epsilon {
  readonly epsilon: number;
}

/** x, weight, bias -> y, mean, inverse standard deviation, unbiased variance; the last three `[C]`, of this batch */
export const batchNormTraining = operator<Epsilon>('batchNormTraining', {
  living: true,
  shape([x]) {
    const shape = sizesOfImage(x);
    const channels = floats([shape[1]]);
    return [floats(shape, 'image'), channels, channels, channels];
  },
  gradient(builder, { inputs, outputs }, dy) {
    const [x = '', weight = '', bias = ''] = inputs;
    const [, mean = '', inverseDeviation = ''] = outputs;
    const [dx = '', dweight = '', dbias = ''] = appendAll(builder, batchNormTrainingGradient, {}, [
      dy,
      x,
      weight,
      mean,
      inverseDeviation,
    ]);
    return [
      [x, dx],
      [weight, dweight],
      [bias, dbias],
    ];
  },
  onnx: lowerPlain,
  blocked(lowering, node) {
    lowerBlocked(lowering, node);
    return true;
  },
  webgpu(lowering, node) {
    lowerWebgpuBatchNorm(lowering, node);
    return true;
  },
  /** The batch's mean and biased variance; what moves the running variance is the unbiased one, as in torch. */
  tensorflow(tf, input, { attributes: { epsilon } }) {
    const x = asImage(input(0));
    const mean = tf.mean(x, [0, 1, 2]);
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), [0, 1, 2]);
    const inverseDeviation = tf.rsqrt(tf.add(variance, tf.scalar(epsilon)));
    const y = tf.add(tf.mul(centred, tf.mul(inverseDeviation, input(1))), input(2));
    const count = x.shape[0] * x.shape[1] * x.shape[2];
    return [y, mean, inverseDeviation, tf.mul(variance, tf.scalar(unbiasedShare(count)))];
  },
  reference: normaliseDoubles,
  samples: {
    'a batch': { attributes: { epsilon: 1e-5 }, inputs: normInputs([3, 4, 5, 7]) },
    'a batch of one': { attributes: { epsilon: 1e-3 }, inputs: normInputs([1, 3, 5, 4]) },
  },
});

export function normInputs(shape: readonly number[]) {
  const channels = shape.slice(1, 2);
  return [{ shape, axes: 'image' }, { shape: channels }, { shape: channels }] as const;
}

/** What brings a batch's variance to the unbiased one; one value a channel has none, and keeps it as it is. */
function unbiasedShare(count: number): number {
  return count > 1 ? count / (count - 1) : 1;
}

/** dy, x, weight, mean, inverse standard deviation -> dx, dweight, dbias, through the batch's own statistics */
export const batchNormTrainingGradient = trainingOperator<None>('batchNormTrainingGradient', {
  shape([, x, weight]) {
    const channels = floats(weight?.shape ?? []);
    return [floats(x?.shape ?? [], 'image'), channels, channels];
  },
  onnx: lowerPlainGradient,
  blocked(lowering, node) {
    lowerBlockedGradient(lowering, node);
    return true;
  },
  webgpu(lowering, node) {
    lowerWebgpuBatchNormGradient(lowering, node);
    return true;
  },
});

/** Statistics by two reductions, then ONNX's inference form with them: its training form is twice as slow and missing on WebGPU. */
function lowerPlain(lowering: Lowering, { inputs, attributes, outputs }: Node<Epsilon>): void {
  const { emit, floats: constant } = lowering;
  const [x = '', weight = '', bias = ''] = inputs;
  const [y, mean = '', inverseDeviation, unbiased] = outputs;
  const count = valuesOfChannel(lowering, x);
  emit('ReduceMean', [x], { axes: [0, 2, 3], keepdims: 0 }, mean);
  const squares = emit('ReduceSumSquare', [x], { axes: [0, 2, 3], keepdims: 0 });
  const meanSquare = emit('Mul', [squares, constant([1 / count])]);
  // Rounding can leave a tiny negative variance where a channel is constant.
  const variance = emit('Relu', [emit('Sub', [meanSquare, emit('Mul', [mean, mean])])]);
  emit('BatchNormalization', [x, weight, bias, mean, variance], { epsilon: float(attributes.epsilon) }, y);
  emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, constant([attributes.epsilon])])])], {}, inverseDeviation);
  emit('Mul', [variance, constant([unbiasedShare(count)])], {}, unbiased);
}

function valuesOfChannel(lowering: Lowering, x: string): number {
  const { shape } = lowering.typeOf(x);
  return elementCount(shape) / (shape[1] ?? 1);
}

/**
 * dx = a dy + b x + c per channel, with a = weight / s, b = -a dweight / (s M), c = -a dbias / M - b mean, where s is
 * the standard deviation and M the number of values a channel.
 */
function lowerPlainGradient(lowering: Lowering, { inputs, outputs }: Node): void {
  const { emit, floats: constant } = lowering;
  const [dy = '', x = '', weight = '', mean = '', inverseDeviation = ''] = inputs;
  const [dx, dweight = '', dbias = ''] = outputs;
  const channels = lowering.typeOf(x).shape[1] ?? 1;
  const sums = gradientSums(lowering, dy, x);
  emit('Identity', [sums.sum], {}, dbias);
  emit('Mul', [emit('Sub', [sums.product, emit('Mul', [mean, sums.sum])]), inverseDeviation], {}, dweight);
  const a = emit('Mul', [weight, inverseDeviation]);
  const share = emit('Mul', [a, constant([-1 / valuesOfChannel(lowering, x)])]);
  const b = emit('Mul', [share, emit('Mul', [dweight, inverseDeviation])]);
  const c = emit('Sub', [emit('Mul', [share, sums.sum]), emit('Mul', [b, mean])]);
  const zeros = constant(new Array<number>(channels).fill(0), [channels]);
  emit('Add', [plainAffine(lowering, dy, a, c, channels), plainAffine(lowering, x, b, zeros, channels)], {}, dx);
}

function momentsOf(lowering: Lowering, image: string): Moments {
  const { emit, floats: constant, integers } = lowering;
  const compute = (alone: string) => {
    const shape = imageShape(lowering.graph, alone);
    const [n, channels, h, w] = shape;
    const x = blocked(lowering, alone);
    const rows = emit('Reshape', [blockedMeans(lowering, x), integers([n, channels])]);
    return {
      mean: emit('ReduceMean', [rows], { axes: [0], keepdims: 0 }),
      meanSquare: emit('Mul', [blockedSumsOfProducts(lowering, x, x, shape), constant([1 / (n * h * w)])]),
    };
  };
  return channelMoments(lowering, image, (part) => isBlocked(lowering, part), compute);
}

function lowerBlocked(lowering: Lowering, node: Node<Epsilon>): void {
  const { emit, floats: constant } = lowering;
  const { inputs, attributes, outputs } = node;
  const [input = '', weight = '', bias = ''] = inputs;
  const [y, meanName = '', inverseDeviation = '', unbiased] = outputs;
  const [n, channels, h, w] = imageShape(lowering.graph, input);
  const { mean, meanSquare } = momentsOf(lowering, input);
  lowering.alias.set(meanName, mean);
  const variance = emit('Relu', [emit('Sub', [meanSquare, emit('Mul', [mean, mean])])]);
  emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, constant([attributes.epsilon])])])], {}, inverseDeviation);
  emit('Mul', [variance, constant([unbiasedShare(n * h * w)])], {}, unbiased);
  const a = emit('Mul', [weight, inverseDeviation]);
  const pass = { scale: a, shift: emit('Sub', [bias, emit('Mul', [mean, a])]) };
  affine(lowering, { x: blocked(lowering, input), ...pass, channels }, { output: y });
  noteNormalized(lowering, node, pass);
}

/** See `lowerPlainGradient` for the formula. */
function lowerBlockedGradient(lowering: Lowering, { inputs, outputs }: Node): void {
  const { emit, floats: constant } = lowering;
  const [incoming = '', input = '', weight = '', mean = '', inverseDeviation = ''] = inputs;
  const [dx = '', dweight = '', dbias = ''] = outputs;
  const dy = blocked(lowering, incoming);
  const x = cutFromLaterJoin(lowering, input, dy) ?? blocked(lowering, input);
  const shape = imageShape(lowering.graph, input);
  const [n, channels, h, w] = shape;
  blockedSums(lowering, dy, shape, dbias);
  const product = blockedSumsOfProducts(lowering, dy, x, shape);
  emit('Mul', [emit('Sub', [product, emit('Mul', [mean, dbias])]), inverseDeviation], {}, dweight);
  const a = emit('Mul', [weight, inverseDeviation]);
  const ofMean = constant([-1 / (n * h * w)]);
  const coefficients = (share: string) => {
    const b = emit('Mul', [share, emit('Mul', [dweight, inverseDeviation])]);
    return { b, c: emit('Sub', [emit('Mul', [share, dbias]), emit('Mul', [b, mean])]) };
  };
  if (defersScale(lowering, incoming, dx)) {
    const { b, c } = coefficients(ofMean);
    affine(lowering, { x, scale: b, shift: c, channels }, { other: dy, output: dx });
    lowering.factors.set(dx, a);
    return;
  }
  const { b, c } = coefficients(emit('Mul', [a, ofMean]));
  if (defersMultiple(lowering, input)) {
    affine(lowering, { x: dy, scale: a, shift: c, channels }, { output: dx });
    leaveMultiple(lowering, dx, input, b);
    return;
  }
  const other = affine(lowering, { x: dy, scale: a, shift: c, channels });
  affine(lowering, { x, scale: b, channels }, { other, output: dx });
}

function normaliseDoubles(input: (index: number) => Doubles, { attributes, inputs }: Run<Epsilon>): readonly Doubles[] {
  const sizes = sizesOf(inputs[0]);
  const [n, channels, h, w] = sizes;
  const count = n * h * w;
  const [x, weight, bias] = [input(0), input(1), input(2)];
  const mean = new Float64Array(channels);
  perChannel(x, sizes, (v, c) => (mean[c] = at(mean, c) + v / count));
  const variance = new Float64Array(channels);
  perChannel(x, sizes, (v, c) => (variance[c] = at(variance, c) + (v - at(mean, c)) ** 2 / count));
  const inverse = variance.map((v) => 1 / Math.sqrt(v + attributes.epsilon));
  const y = perChannel(x, sizes, (v, c) => (v - at(mean, c)) * at(inverse, c) * at(weight, c) + at(bias, c));
  return [y, mean, inverse, variance.map((v) => v * unbiasedShare(count))];
}
