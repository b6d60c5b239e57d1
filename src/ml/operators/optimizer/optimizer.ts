import { append, appendAll } from '../../graph/builder.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { floats, typeOf, type GraphBuilder } from '../../graph/graph.ts';
import { adamUpdate } from './adamUpdate.ts';
import { none } from '../operator.ts';
import { clipGradientNorm } from './clipGradientNorm.ts';
import { gradientNorm } from './gradientNorm.ts';
import { sgdUpdate } from './sgdUpdate.ts';
import type { PlacedUpdate } from './updates.ts';

/** Parameters that learn at one rate and began at one step, as torch's parameter groups. */
export interface LearningGroup {
  /** What the learning rate is multiplied by. */
  readonly rate: number;
  /** Steps that were taken before its first. */
  readonly start: number;
}

/** The groups of an optimizer, and which of them a parameter is in. */
export interface LearningGroups {
  readonly all: readonly LearningGroup[];
  readonly of: ReadonlyMap<string, number>;
}

interface Common {
  readonly weightDecay: number;
  /**
   * Share of the old average in the moving average of the weights, as torch's `get_ema_multi_avg_fn`: the average begins as
   * the weights after the first step. None is kept without it.
   */
  readonly averageDecay?: number;
  /** One group of all parameters without it. */
  readonly groups?: LearningGroups;
}

/** The optimizers with torch's parameters and semantics. */
export type Optimizer = Common &
  (
    | {
        readonly kind: 'adam' | 'adamw';
        readonly beta1: number;
        readonly beta2: number;
        readonly epsilon: number;
      }
    | { readonly kind: 'sgd'; readonly momentum: number }
  );

/** Name of the moving average of a parameter in the optimizer's state. */
export function averageName(parameter: string): string {
  return `${parameter}.average`;
}

/** Names of what an optimizer keeps of a parameter: its moments as torch names them, and the moving average last. */
export function momentNames(optimizer: Optimizer, parameter: string): string[] {
  const moments = optimizer.kind === 'sgd' ? ['momentum_buffer'] : ['exp_avg', 'exp_avg_sq'];
  const names = moments.map((moment) => `${parameter}.${moment}`);
  return optimizer.averageDecay === undefined ? names : [...names, averageName(parameter)];
}

/** Name of the input that `schedule` fills. */
export const scheduleInput = 'schedule';

const oneGroup: readonly LearningGroup[] = [{ rate: 1, start: 0 }];

/**
 * What changes from step to step, as four numbers a group that the update operators read.
 * Adam (Kingma and Ba 2015; Loshchilov and Hutter 2019): learning rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t),
 * learning rate. SGD: learning rate, share of the old momentum (0 at the first step, when torch's buffer begins with
 * the gradient), 0. Both: share of the old average of the weights. `step` counts from 1, and t from a group's first step.
 */
export function schedule(optimizer: Optimizer, step: number, learningRate: number): readonly number[] {
  return (optimizer.groups?.all ?? oneGroup).flatMap((group) => {
    const t = groupStep(group, step);
    const rate = learningRate * group.rate;
    const average = averageShare(optimizer, step);
    if (optimizer.kind === 'sgd') return [rate, t === 1 ? 0 : optimizer.momentum, 0, average];
    const correction1 = 1 - optimizer.beta1 ** t;
    const correction2 = 1 - optimizer.beta2 ** t;
    return [rate / correction1, 1 / Math.sqrt(correction2), rate, average];
  });
}

/** Share of the old average of the weights at a step: none at the first, so that the average begins as what that gives. */
export function averageShare({ averageDecay = 0 }: Optimizer, step: number): number {
  return step === 1 ? 0 : averageDecay;
}

/** What an optimizer's state begins with: the weights for their average; undefined stands for zeros. */
export function firstMoment(moment: string, parameter: string, value: Tensor): Tensor | undefined {
  return moment === averageName(parameter) ? value : undefined;
}

/** A group's own count of steps, from 1 on. */
export function groupStep({ start }: LearningGroup, step: number): number {
  return Math.max(1, step - start);
}

/** The group that a parameter learns in. */
export function groupOf(
  { groups }: Optimizer,
  parameter: string,
): { readonly index: number; readonly group: LearningGroup } {
  const index = groups?.of.get(parameter) ?? 0;
  const group = (groups?.all ?? oneGroup)[index];
  if (!group) throw new RangeError(`there is no group ${index} of parameters`);
  return { index, group };
}

/**
 * Appends the gradients' joint L2 norm `[]`, and with `clipNorm` the gradients scaled so that it is at most that. Gives the norm,
 * as it was before, and the gradients to learn by.
 */
export function appendClipping(
  builder: GraphBuilder,
  gradients: ReadonlyMap<string, string>,
  clipNorm?: number,
): { readonly norm: string; readonly clipped: ReadonlyMap<string, string> } {
  const norm = append(builder, gradientNorm, none, [...gradients.values()]);
  return { norm, clipped: clipNorm === undefined ? gradients : clip(builder, norm, gradients, clipNorm) };
}

/**
 * Appends the update of every parameter by its gradient. Moments become inputs; parameters' and moments' successors
 * go to the builder's `updates`. Gives the gradients' joint L2 norm `[]`, before they are clipped.
 */
export function appendOptimizer(
  builder: GraphBuilder,
  optimizer: Optimizer,
  gradients: ReadonlyMap<string, string>,
  clipNorm?: number,
): string {
  builder.inputs.push(scheduleInput);
  builder.types.set(scheduleInput, floats([4 * (optimizer.groups?.all ?? oneGroup).length]));
  const { norm, clipped } = appendClipping(builder, gradients, clipNorm);
  for (const [parameter, gradient] of clipped) {
    const moments = momentNames(optimizer, parameter);
    for (const moment of moments) {
      builder.inputs.push(moment);
      builder.types.set(moment, typeOf(builder, parameter));
    }
    const placed = { group: groupOf(optimizer, parameter).index, averaged: optimizer.averageDecay !== undefined };
    const outputs = appendUpdate(builder, optimizer, placed, [parameter, gradient, ...moments, scheduleInput]);
    [parameter, ...moments].forEach((name, index) => builder.updates.set(name, outputs[index] ?? ''));
  }
  return norm;
}

function appendUpdate(
  builder: GraphBuilder,
  optimizer: Optimizer,
  placed: PlacedUpdate,
  inputs: readonly string[],
): readonly string[] {
  if (optimizer.kind === 'sgd') {
    const { momentum, weightDecay } = optimizer;
    return appendAll(builder, sgdUpdate, { momentum, weightDecay, ...placed }, inputs);
  }
  const { beta1, beta2, epsilon, weightDecay, kind } = optimizer;
  const decoupled = kind === 'adamw';
  return appendAll(builder, adamUpdate, { beta1, beta2, epsilon, weightDecay, decoupled, ...placed }, inputs);
}

function clip(
  builder: GraphBuilder,
  norm: string,
  gradients: ReadonlyMap<string, string>,
  limit: number,
): Map<string, string> {
  const clipped = appendAll(builder, clipGradientNorm, { limit }, [norm, ...gradients.values()]);
  return new Map([...gradients.keys()].map((name, index) => [name, clipped[index] ?? '']));
}
