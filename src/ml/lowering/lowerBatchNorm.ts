import type { NodeOf } from '../graph/graph.ts';
import { channelSum } from './channelSum.ts';
import { float, type Lowering } from './lowering.ts';

/** Per-channel `a * x + b` in one pass over the map: a batch normalisation with mean 0 and variance 1. */
function affine(lowering: Lowering, x: string, a: string, b: string, channels: number, output?: string): string {
  const zeros = lowering.floats(new Array<number>(channels).fill(0), [channels]);
  const ones = lowering.floats(new Array<number>(channels).fill(1), [channels]);
  return lowering.emit('BatchNormalization', [x, a, b, zeros, ones], { epsilon: float(0) }, output);
}

export function lowerBatchNormInference(lowering: Lowering, node: NodeOf<'batchNormInference'>): void {
  lowering.emit('BatchNormalization', node.inputs, { epsilon: float(node.epsilon) }, node.outputs[0]);
}

function channelsAndCount(lowering: Lowering, x: string): { channels: number; count: number } {
  const { shape } = lowering.typeOf(x);
  const channels = shape[1] ?? 1;
  return { channels, count: shape.reduce((product, size) => product * size, 1) / channels };
}

/** Statistics by two reductions, then ONNX's inference form with them: its training form is twice as slow and missing on WebGPU. */
export function lowerBatchNormTraining(lowering: Lowering, node: NodeOf<'batchNormTraining'>): void {
  const { emit, floats } = lowering;
  const [x = '', weight = '', bias = ''] = node.inputs;
  const [y, mean = '', inverseDeviation, unbiased] = node.outputs;
  const { count } = channelsAndCount(lowering, x);
  emit('ReduceMean', [x], { axes: [0, 2, 3], keepdims: 0 }, mean);
  const squares = emit('ReduceSumSquare', [x], { axes: [0, 2, 3], keepdims: 0 });
  const meanSquare = emit('Mul', [squares, floats([1 / count])]);
  // Rounding can leave a tiny negative variance where a channel is constant.
  const variance = emit('Relu', [emit('Sub', [meanSquare, emit('Mul', [mean, mean])])]);
  emit('BatchNormalization', [x, weight, bias, mean, variance], { epsilon: float(node.epsilon) }, y);
  emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, floats([node.epsilon])])])], {}, inverseDeviation);
  emit('Mul', [variance, floats([count > 1 ? count / (count - 1) : 1])], {}, unbiased);
}

/** Sums over all but the channels of dy and of dy * x. */
function channelSums(lowering: Lowering, dy: string, x: string): { sum: string; product: string } {
  const { shape } = lowering.typeOf(x);
  const sum = channelSum(lowering, dy, shape);
  return { sum, product: channelSum(lowering, lowering.emit('Mul', [dy, x]), shape) };
}

/**
 * dx = a dy + b x + c per channel, with a = weight / s, b = -a dweight / (s M), c = -a dbias / M - b mean, where s is
 * the standard deviation and M the number of values a channel.
 */
export function lowerBatchNormTrainingGradient(lowering: Lowering, node: NodeOf<'batchNormTrainingGradient'>): void {
  const { emit, floats } = lowering;
  const [dy = '', x = '', weight = '', mean = '', inverseDeviation = ''] = node.inputs;
  const [dx, dweight = '', dbias = ''] = node.outputs;
  const { channels, count } = channelsAndCount(lowering, x);
  const sums = channelSums(lowering, dy, x);
  emit('Identity', [sums.sum], {}, dbias);
  emit('Mul', [emit('Sub', [sums.product, emit('Mul', [mean, sums.sum])]), inverseDeviation], {}, dweight);
  const a = emit('Mul', [weight, inverseDeviation]);
  const share = emit('Mul', [a, floats([-1 / count])]);
  const b = emit('Mul', [share, emit('Mul', [dweight, inverseDeviation])]);
  const c = emit('Sub', [emit('Mul', [share, sums.sum]), emit('Mul', [b, mean])]);
  const zeros = floats(new Array<number>(channels).fill(0), [channels]);
  emit('Add', [affine(lowering, dy, a, c, channels), affine(lowering, x, b, zeros, channels)], {}, dx);
}

export function lowerBatchNormInferenceGradient(lowering: Lowering, node: NodeOf<'batchNormInferenceGradient'>): void {
  const { emit, floats } = lowering;
  const [dy = '', x = '', weight = '', mean = '', variance = ''] = node.inputs;
  const [dx, dweight, dbias = ''] = node.outputs;
  const { channels } = channelsAndCount(lowering, x);
  const sums = channelSums(lowering, dy, x);
  const inverseDeviation = emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance, floats([node.epsilon])])])]);
  emit('Identity', [sums.sum], {}, dbias);
  emit('Mul', [emit('Sub', [sums.product, emit('Mul', [mean, sums.sum])]), inverseDeviation], {}, dweight);
  const zeros = floats(new Array<number>(channels).fill(0), [channels]);
  affine(lowering, dy, emit('Mul', [weight, inverseDeviation]), zeros, channels, dx);
}

export function lowerRunningAverage(lowering: Lowering, node: NodeOf<'runningAverage'>): void {
  const { emit, floats } = lowering;
  const [running = '', batch = ''] = node.inputs;
  const kept = emit('Mul', [running, floats([1 - node.momentum])]);
  emit('Add', [kept, emit('Mul', [batch, floats([node.momentum])])], {}, node.outputs[0]);
}
