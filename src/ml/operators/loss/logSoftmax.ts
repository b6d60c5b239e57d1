import { append } from '../../graph/builder.ts';
import { floats, isNode, type GraphBuilder } from '../../graph/graph.ts';
import { likeFirst, none, operator, trainingOperator, type None } from '../operator.ts';
import { at } from '../references.ts';
import { appendFocalLoss } from './focalLoss.ts';

/** x `[N, C]` -> log-probabilities `[N, C]`. Its gradient is taken together with the loss's; see `appendLoss`. */
export const logSoftmaxOperator = operator<None>('logSoftmax', {
  shape: likeFirst,
  onnx({ emit }, { inputs, outputs }) {
    emit('LogSoftmax', inputs, { axis: 1 }, outputs[0]);
  },
  /** WebGPU lacks it: x - max - log(sum(exp(x - max))), by row. */
  webgpu({ emit, integers }, { inputs: [x = ''], outputs }) {
    const shifted = emit('Sub', [x, emit('ReduceMax', [x], { axes: [1], keepdims: 1 })]);
    const sum = emit('ReduceSum', [emit('Exp', [shifted]), integers([1])], { keepdims: 1 });
    emit('Sub', [shifted, emit('Log', [sum])], {}, outputs[0]);
    return true;
  },
  tensorflow: (tf, input) => tf.logSoftmax(input(0), 1),
  reference(input, { inputs }) {
    const columns = inputs[0]?.shape[1] ?? 1;
    const x = input(0);
    return x.map((value, index) => {
      const start = index - (index % columns);
      return value - Math.log(x.slice(start, start + columns).reduce((sum, v) => sum + Math.exp(v), 0));
    });
  },
  samples: { rows: { attributes: none, inputs: [{ shape: [3, 5], fixed: true }] } },
});

/** log-probabilities `[N, C]`, targets `[N, C]` -> loss `[]` = -sum(targets * log-probabilities); torch's mean is in the targets */
export const negativeLogLikelihood = trainingOperator<None>('negativeLogLikelihood', {
  shape: () => [floats([])],
  onnx({ emit, integers }, { inputs, outputs }) {
    const sum = emit('ReduceSum', [emit('Mul', inputs), integers([0, 1])], { keepdims: 0 });
    emit('Neg', [sum], {}, outputs[0]);
  },
  reference: (input) => Float64Array.of(-input(0).reduce((sum, value, index) => sum + value * at(input(1), index), 0)),
});

/**
 * log-probabilities, targets -> gradient of that loss by the logits `[N, C]`: softmax * (row sum of the targets) - targets
 */
export const logSoftmaxLossGradient = trainingOperator<None>('logSoftmaxLossGradient', {
  phase: 'backward',
  shape: likeFirst,
  onnx({ emit, integers }, { inputs: [logProbabilities = '', targets = ''], outputs }) {
    const weight = emit('ReduceSum', [targets, integers([1])], { keepdims: 1 });
    const expected = emit('Mul', [emit('Exp', [logProbabilities]), weight]);
    emit('Sub', [expected, targets], {}, outputs[0]);
  },
});

export function logSoftmax(builder: GraphBuilder, x: string): string {
  return append(builder, logSoftmaxOperator, none, [x]);
}

/**
 * Appends the loss and its gradient by the logits: `targets` `[N, classes]` becomes an input. Returns the loss value
 * and the seeds for `differentiate`. The log-probabilities must come from a `logSoftmax`. With a gamma above 0 it is the
 * focal loss.
 */
export function appendLoss(
  builder: GraphBuilder,
  logProbabilities: string,
  focalGamma = 0,
): { loss: string; seeds: Map<string, string> } {
  const source = builder.nodes.find((node) => node.outputs[0] === logProbabilities);
  const [logits] = source?.inputs ?? [];
  const type = builder.types.get(logProbabilities);
  if (!isNode(source, logSoftmaxOperator) || logits === undefined || !type) {
    throw new Error('the loss needs the output of a log-softmax');
  }
  builder.inputs.push('targets');
  builder.types.set('targets', type);
  const values = [logProbabilities, 'targets'];
  if (focalGamma > 0) {
    const focal = appendFocalLoss(builder, values, focalGamma);
    return { loss: focal.loss, seeds: new Map([[logits, focal.gradient]]) };
  }
  const loss = append(builder, negativeLogLikelihood, none, values);
  return { loss, seeds: new Map([[logits, append(builder, logSoftmaxLossGradient, none, values)]]) };
}
