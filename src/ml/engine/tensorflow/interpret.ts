import { typeOf, type Graph, type Node } from '../../graph/graph.ts';
import { tensorflowRule } from '../../operators/operator.ts';
import type { DeviceTensor, TensorFlow } from '../../operators/tensorflow.ts';

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
    const outputs = compute(tf, graph, node, find);
    node.outputs.forEach((name, position) => {
      const value = outputs[position];
      if (value) made.set(name, value);
    });
    for (const name of lastUse?.get(index) ?? []) made.get(name)?.dispose();
  });
  return new Map(wanted.map((name) => [name, find(name)]));
}

function compute(
  tf: TensorFlow,
  graph: Graph,
  { operator, attributes, inputs, outputs }: Node,
  find: (name: string) => DeviceTensor,
): readonly DeviceTensor[] {
  const rule = tensorflowRule(operator);
  const types = (names: readonly string[]) => names.map((name) => typeOf(graph, name));
  return tf.tidy(() => {
    const run = { attributes, inputs: types(inputs), outputs: types(outputs) };
    const result = rule(tf, (index) => find(inputs[index] ?? ''), run);
    return Array.isArray(result) ? [...(result as readonly DeviceTensor[])] : [result as DeviceTensor];
  });
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
