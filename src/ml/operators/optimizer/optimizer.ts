import { appendAll } from '../../graph/builder.ts';
import { floats, typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { adamUpdate } from './adamUpdate.ts';
import { clipGradientNorm } from './clipGradientNorm.ts';
import { sgdUpdate } from './sgdUpdate.ts';

/** The optimizers with torch's parameters and semantics. */
export type Optimizer =
  | {
      readonly kind: 'adam' | 'adamw';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    }
  | { readonly kind: 'sgd'; readonly momentum: number; readonly weightDecay: number };

/** Names of a parameter's moments in the optimizer's state, as torch names them. */
export function momentNames(optimizer: Optimizer, parameter: string): string[] {
  return optimizer.kind === 'sgd'
    ? [`${parameter}.momentum_buffer`]
    : [`${parameter}.exp_avg`, `${parameter}.exp_avg_sq`];
}

/** Name of the input that `schedule` fills. */
export const scheduleInput = 'schedule';

/**
 * What changes from step to step, as four numbers that the update operators read.
 * Adam (Kingma and Ba 2015; Loshchilov and Hutter 2019): learning rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t),
 * learning rate. SGD: learning rate, share of the old momentum (0 at the first step, when torch's buffer begins with
 * the gradient). `step` counts from 1.
 */
export function schedule(optimizer: Optimizer, step: number, learningRate: number): readonly number[] {
  if (optimizer.kind === 'sgd') return [learningRate, step === 1 ? 0 : optimizer.momentum, 0, 0];
  const correction1 = 1 - optimizer.beta1 ** step;
  const correction2 = 1 - optimizer.beta2 ** step;
  return [learningRate / correction1, 1 / Math.sqrt(correction2), learningRate, 0];
}

/**
 * Appends the update of every parameter by its gradient. Moments become inputs; parameters' and moments' successors
 * go to the builder's `updates`.
 */
export function appendOptimizer(
  builder: GraphBuilder,
  optimizer: Optimizer,
  gradients: ReadonlyMap<string, string>,
  clipNorm?: number,
): void {
  builder.inputs.push(scheduleInput);
  builder.types.set(scheduleInput, floats([4]));
  const clipped = clipNorm === undefined ? gradients : clip(builder, gradients, clipNorm);
  for (const [parameter, gradient] of clipped) {
    const moments = momentNames(optimizer, parameter);
    for (const moment of moments) {
      builder.inputs.push(moment);
      builder.types.set(moment, typeOf(builder, parameter));
    }
    const outputs = appendUpdate(builder, optimizer, [parameter, gradient, ...moments, scheduleInput]);
    [parameter, ...moments].forEach((name, index) => builder.updates.set(name, outputs[index] ?? ''));
  }
}

function appendUpdate(builder: GraphBuilder, optimizer: Optimizer, inputs: readonly string[]): readonly string[] {
  if (optimizer.kind === 'sgd') {
    const { momentum, weightDecay } = optimizer;
    return appendAll(builder, sgdUpdate, { momentum, weightDecay }, inputs);
  }
  const { beta1, beta2, epsilon, weightDecay, kind } = optimizer;
  return appendAll(builder, adamUpdate, { beta1, beta2, epsilon, weightDecay, decoupled: kind === 'adamw' }, inputs);
}

function clip(builder: GraphBuilder, gradients: ReadonlyMap<string, string>, limit: number): Map<string, string> {
  const clipped = appendAll(builder, clipGradientNorm, { limit }, [...gradients.values()]);
  return new Map([...gradients.keys()].map((name, index) => [name, clipped[index] ?? '']));
}
