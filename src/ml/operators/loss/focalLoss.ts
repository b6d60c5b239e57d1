import { append } from '../../graph/builder.ts';
import { floats, type GraphBuilder } from '../../graph/graph.ts';
import type { Lowering } from '../../lowering/lowering.ts';
import { likeFirst, trainingOperator } from '../operator.ts';
import { at } from '../references.ts';

export interface Focal {
  /** Above 0; how much less a class counts that is known already. */
  readonly gamma: number;
}

/** What a float32 can tell from 1: below it, powers of 1 - p with a negative exponent would run away. */
export const leastRest = 2 ** -24;

/**
 * log-probabilities `[N, C]`, targets `[N, C]` -> loss `[]` = -sum(targets * (1 - p)^gamma * log p): the focal loss (Lin et
 * al. 2017, https://arxiv.org/abs/1708.02002) over a softmax's classes. torch's mean is in the targets.
 */
export const focalLoss = trainingOperator<Focal>('focalLoss', {
  shape: () => [floats([])],
  onnx(lowering, { inputs: [logProbabilities = '', targets = ''], attributes: { gamma }, outputs }) {
    const { emit, floats: constants, integers } = lowering;
    const modulated = emit('Pow', [restOf(lowering, logProbabilities), constants([gamma])]);
    const terms = emit('Mul', [targets, emit('Mul', [modulated, logProbabilities])]);
    emit('Neg', [emit('ReduceSum', [terms, integers([0, 1])], { keepdims: 0 })], {}, outputs[0]);
  },
  reference: (input, { attributes: { gamma } }) => {
    const terms = input(0).map((log, index) => at(input(1), index) * (1 - Math.exp(log)) ** gamma * log);
    return Float64Array.of(-terms.reduce((sum, term) => sum + term, 0));
  },
});

/**
 * log-probabilities, targets -> gradient of that loss by the logits `[N, C]`. By a log-probability it is
 * g = -targets * ((1 - p)^gamma - gamma * (1 - p)^(gamma - 1) * p * log p), and by the logits g - p * (row sum of g).
 */
export const focalLossGradient = trainingOperator<Focal>('focalLossGradient', {
  phase: 'backward',
  shape: likeFirst,
  onnx(lowering, { inputs: [logProbabilities = '', targets = ''], attributes: { gamma }, outputs }) {
    const { emit, floats: constants, integers } = lowering;
    const rest = restOf(lowering, logProbabilities);
    const probabilities = emit('Exp', [logProbabilities]);
    const slope = emit('Mul', [emit('Pow', [rest, constants([gamma - 1])]), constants([gamma])]);
    const inner = emit('Mul', [slope, emit('Mul', [probabilities, logProbabilities])]);
    const byLog = emit('Mul', [targets, emit('Sub', [inner, emit('Pow', [rest, constants([gamma])])])]);
    const sums = emit('ReduceSum', [byLog, integers([1])], { keepdims: 1 });
    emit('Sub', [byLog, emit('Mul', [probabilities, sums])], {}, outputs[0]);
  },
});

/** 1 - p, of log p. */
function restOf({ emit, floats: constants }: Lowering, logProbabilities: string): string {
  return emit('Max', [emit('Sub', [constants([1]), emit('Exp', [logProbabilities])]), constants([leastRest])]);
}

/** Appends the loss and its gradient by the logits. */
export function appendFocalLoss(
  builder: GraphBuilder,
  values: readonly string[],
  gamma: number,
): { readonly loss: string; readonly gradient: string } {
  return {
    loss: append(builder, focalLoss, { gamma }, values),
    gradient: append(builder, focalLossGradient, { gamma }, values),
  };
}
