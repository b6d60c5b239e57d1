import type { Graph, Node, NodeOf, OperatorName, TrainingOperator } from '../../graph/graph.ts';
import { convolve } from './convolution.ts';
import { asImage, asMatrix, asVector, type DeviceTensor, type TensorFlow } from './deviceTensor.ts';
import { averagePool, maxPool } from './pooling.ts';

/** What a network's forward pass is made of, and how it moves its running statistics. */
type ForwardOperator = Exclude<OperatorName, TrainingOperator['op']> | 'runningAverage';

/** Computes one node. `input(i)` is its i-th input; inputs and outputs stand in the order that `graph.ts` gives. */
type Rule<Name extends OperatorName> = (
  tf: TensorFlow,
  node: NodeOf<Name>,
  input: (index: number) => DeviceTensor,
) => DeviceTensor | readonly DeviceTensor[];

/**
 * The meaning of every forward operator, in TensorFlow.js operations that it can differentiate.
 * Images are `[N, H, W, C]` here and weights `[kH, kW, I, O]`, so a vector per channel broadcasts along the last axis.
 */
const rules: { readonly [Name in ForwardOperator]: Rule<Name> } = {
  conv2d: (tf, node, input) => {
    const y = convolve(tf, asImage(input(0)), asImage(input(1)), node);
    return node.inputs.length > 2 ? tf.add(y, input(2)) : y;
  },

  /** (x - running_mean) / sqrt(running_var + epsilon) * weight + bias */
  batchNormInference: (tf, { epsilon }, input) => {
    const [weight, bias, mean, variance] = [1, 2, 3, 4].map((index) => asVector(input(index)));
    if (!weight || !bias || !mean || !variance) throw new Error('batch norm without its parameters');
    return tf.batchNorm(asImage(input(0)), mean, variance, bias, weight, epsilon);
  },

  /** The same with the batch's mean and biased variance; what moves the running variance is the unbiased one, as in torch. */
  batchNormTraining: (tf, { epsilon }, input) => {
    const x = asImage(input(0));
    const mean = tf.mean(x, [0, 1, 2]);
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), [0, 1, 2]);
    const inverseDeviation = tf.rsqrt(tf.add(variance, tf.scalar(epsilon)));
    const y = tf.add(tf.mul(centred, tf.mul(inverseDeviation, input(1))), input(2));
    const count = x.shape[0] * x.shape[1] * x.shape[2];
    return [y, mean, inverseDeviation, tf.mul(variance, tf.scalar(count / (count - 1)))];
  },

  relu: (tf, _, input) => tf.relu(input(0)),
  maxPool: (tf, node, input) => maxPool(tf, asImage(input(0)), node),
  averagePool: (tf, node, input) => averagePool(tf, asImage(input(0)), node),
  globalAveragePool: (tf, _, input) => tf.mean(asImage(input(0)), [1, 2]),
  concat: (tf, node, input) =>
    tf.concat(
      node.inputs.map((_, index) => asImage(input(index))),
      3,
    ),
  add: (tf, _, input) => tf.add(input(0), input(1)),

  /** torch flattens `[C, H, W]`, so channels come first again before the map is made a row. */
  flatten: (tf, _, input) => {
    const x = input(0);
    const [batch = 1] = x.shape;
    return tf.reshape(x.rank === 4 ? tf.transpose(x, [0, 3, 1, 2]) : x, [batch, -1]);
  },

  linear: (tf, node, input) => {
    const y = tf.matMul(asMatrix(input(0)), asMatrix(input(1)), false, true);
    return node.inputs.length > 2 ? tf.add(y, input(2)) : y;
  },

  dropout: (tf, _, input) => tf.mul(input(0), input(1)),
  logSoftmax: (tf, _, input) => tf.logSoftmax(input(0), 1),

  /** Channel i of the result is channel order[i] of the image, times scale[i], plus shift[i]. */
  normalize: (tf, { scale, shift, order }, input) => {
    const reordered = tf.gather(input(0), tf.tensor1d([...order], 'int32'), 3);
    return tf.add(tf.mul(reordered, tf.tensor1d([...scale])), tf.tensor1d([...shift]));
  },

  /** (1 - momentum) * running + momentum * batch */
  runningAverage: (tf, { momentum }, input) =>
    tf.add(tf.mul(input(0), tf.scalar(1 - momentum)), tf.mul(input(1), tf.scalar(momentum))),
};

/**
 * Runs the nodes of a forward graph in order. `given` holds inputs, parameters and buffers in the device's layout;
 * the result holds `wanted`, new tensors that are the caller's or the surrounding `tf.tidy`'s to dispose, like all the
 * values between. With `release`, values between are disposed as soon as no later node needs them (not while
 * gradients are recorded, which need them). Throws for operators of the backward pass: TensorFlow.js differentiates by itself.
 */
export function interpret(
  tf: TensorFlow,
  graph: Graph,
  given: ReadonlyMap<string, DeviceTensor>,
  wanted: readonly string[],
  release: boolean,
): Map<string, DeviceTensor> {
  const made = new Map<string, DeviceTensor>();
  const find = (name: string) => {
    const value = made.get(name) ?? given.get(name);
    if (!value) throw new Error(`the graph was run without a value for ${name}`);
    return value;
  };
  const lastUse = release ? lastUses(graph.nodes, wanted) : undefined;
  graph.nodes.forEach((node, index) => {
    const outputs = compute(tf, node, find);
    node.outputs.forEach((name, position) => {
      const value = outputs[position];
      if (value) made.set(name, value);
    });
    for (const name of lastUse?.get(index) ?? []) made.get(name)?.dispose();
  });
  return new Map(wanted.map((name) => [name, find(name)]));
}

function compute(tf: TensorFlow, node: Node, find: (name: string) => DeviceTensor): readonly DeviceTensor[] {
  if (!(node.op in rules))
    throw new Error(`the TensorFlow engine does not run ${node.op}: it differentiates by itself`);
  // Each rule takes the node that it is listed under, which the type of a lookup cannot say.
  const rule = rules[node.op as ForwardOperator] as Rule<OperatorName>;
  const outputs = tf.tidy(() => {
    const result = rule(tf, node, (index) => find(node.inputs[index] ?? ''));
    return Array.isArray(result) ? [...(result as readonly DeviceTensor[])] : [result as DeviceTensor];
  });
  return outputs;
}

/** For each node's index, the values that no later node reads: its inputs, and outputs that nobody reads at all. */
function lastUses(nodes: readonly Node[], wanted: readonly string[]): Map<number, string[]> {
  const last = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const name of [...node.inputs, ...node.outputs]) last.set(name, index);
  });
  for (const name of wanted) last.delete(name);
  const at = new Map<number, string[]>();
  for (const [name, index] of last) at.set(index, [...(at.get(index) ?? []), name]);
  return at;
}
