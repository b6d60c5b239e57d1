import type { Variable } from '@tensorflow/tfjs';
import type { Optimizer } from '../../operators/optimizer/optimizer.ts';
import type { DeviceTensor, TensorFlow } from '../../operators/tensorflow.ts';

/** A parameter with its moments, in the order of `momentNames`. All have one shape. */
export interface Learned {
  readonly parameter: Variable;
  readonly moments: readonly Variable[];
}

/**
 * Moves a parameter by its gradient with the semantics of torch's optimizers, and its average behind it; `step` counts from
 * 1 and, as the rate, is the parameter's own. What it makes
 * between is the surrounding `tf.tidy`'s to dispose.
 */
export function updateParameter(
  tf: TensorFlow,
  optimizer: Optimizer,
  learned: Learned,
  gradient: DeviceTensor,
  step: number,
  learningRate: number,
  averageKept: number,
): void {
  if (optimizer.kind === 'sgd') updateBySgd(tf, optimizer, learned, gradient, learningRate);
  else updateByAdam(tf, optimizer, learned, gradient, step, learningRate);
  if (optimizer.averageDecay === undefined) return;
  const average = momentAt(learned.moments, learned.moments.length - 1);
  average.assign(tf.add(scaled(tf, average, averageKept), scaled(tf, learned.parameter, 1 - averageKept)));
}

type Sgd = Extract<Optimizer, { kind: 'sgd' }>;
type Adam = Exclude<Optimizer, Sgd>;

/** b = momentum * b + (g + decay * p); p -= rate * b. The buffer begins at zero, so the first step makes it the gradient. */
function updateBySgd(
  tf: TensorFlow,
  { momentum, weightDecay }: Sgd,
  { parameter, moments }: Learned,
  gradient: DeviceTensor,
  learningRate: number,
): void {
  const buffer = momentAt(moments, 0);
  buffer.assign(tf.add(scaled(tf, buffer, momentum), decayed(tf, gradient, parameter, weightDecay)));
  parameter.assign(tf.sub(parameter, scaled(tf, buffer, learningRate)));
}

/**
 * Kingma and Ba 2015: m = b1 * m + (1 - b1) * g; v = b2 * v + (1 - b2) * g²;
 * p -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon).
 * Adam adds decay * p to g; AdamW (Loshchilov and Hutter 2019) shrinks p by 1 - rate * decay beforehand.
 */
function updateByAdam(
  tf: TensorFlow,
  { kind, beta1, beta2, epsilon, weightDecay }: Adam,
  { parameter, moments }: Learned,
  gradient: DeviceTensor,
  step: number,
  learningRate: number,
): void {
  const [first, second] = [momentAt(moments, 0), momentAt(moments, 1)];
  const decoupled = kind === 'adamw';
  const g = decoupled ? gradient : decayed(tf, gradient, parameter, weightDecay);
  first.assign(tf.add(scaled(tf, first, beta1), scaled(tf, g, 1 - beta1)));
  second.assign(tf.add(scaled(tf, second, beta2), scaled(tf, tf.square(g), 1 - beta2)));
  const deviation = tf.sqrt(scaled(tf, second, 1 / (1 - beta2 ** step)));
  const direction = tf.div(first, tf.add(deviation, tf.scalar(epsilon)));
  const kept = decoupled && weightDecay !== 0 ? scaled(tf, parameter, 1 - learningRate * weightDecay) : parameter;
  parameter.assign(tf.sub(kept, scaled(tf, direction, learningRate / (1 - beta1 ** step))));
}

function decayed(tf: TensorFlow, gradient: DeviceTensor, parameter: Variable, weightDecay: number): DeviceTensor {
  return weightDecay === 0 ? gradient : tf.add(gradient, scaled(tf, parameter, weightDecay));
}

function scaled(tf: TensorFlow, value: DeviceTensor, factor: number): DeviceTensor {
  return tf.mul(value, tf.scalar(factor));
}

function momentAt(moments: readonly Variable[], index: number): Variable {
  const moment = moments[index];
  if (!moment) throw new Error('a parameter without its moments');
  return moment;
}

/** Joint L2 norm of gradients `[]`. */
export function jointNorm(tf: TensorFlow, gradients: Iterable<DeviceTensor>): DeviceTensor {
  return tf.sqrt(tf.addN([...gradients].map((gradient) => tf.sum(tf.square(gradient)))));
}

/** torch's clip_grad_norm_: the gradients times limit / (norm + 1e-6) where their joint L2 norm makes that less than 1. */
export function clipGradients(
  tf: TensorFlow,
  gradients: ReadonlyMap<string, DeviceTensor>,
  norm: DeviceTensor,
  limit: number,
): Map<string, DeviceTensor> {
  const factor = tf.minimum(tf.scalar(1), tf.div(tf.scalar(limit), tf.add(norm, tf.scalar(1e-6))));
  return new Map([...gradients].map(([name, gradient]) => [name, tf.mul(gradient, factor)]));
}
