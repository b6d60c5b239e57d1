import { dependentsOf } from './differentiate.ts';
import type { Graph, Node } from './graph.ts';

/**
 * Cuts a forward graph where training begins: `prefix` is all that depends on no trainable parameter, on no dropout
 * mask and on no batch statistics, so it can run as plain inference; its outputs are inputs of `suffix` under the
 * same names. There is no prefix where nothing of weight is frozen.
 */
export function splitFrozen(graph: Graph, trainable: ReadonlySet<string>): { prefix?: Graph; suffix: Graph } {
  const masks = graph.inputs.filter((name) => name.endsWith('.mask'));
  const statistics = graph.nodes.filter((node) => node.op === 'batchNormTraining').map((node) => node.outputs[0] ?? '');
  const living = dependentsOf(graph, [...trainable, ...masks, ...statistics]);
  const isLiving = (node: Node) =>
    node.outputs.some((value) => living.has(value)) || node.op === 'batchNormTraining' || node.op === 'runningAverage';
  const frozen = graph.nodes.filter((node) => !isLiving(node));
  if (!frozen.some((node) => node.op === 'conv2d' || node.op === 'linear')) return { suffix: graph };
  const kept = graph.nodes.filter(isLiving);
  const made = new Set(frozen.flatMap((node) => node.outputs));
  const crossing = [...new Set([...kept.flatMap((node) => node.inputs), ...graph.outputs])].filter((value) =>
    made.has(value),
  );
  return { prefix: part(graph, frozen, [], crossing), suffix: part(graph, kept, crossing, graph.outputs) };
}

function part(graph: Graph, nodes: readonly Node[], inputs: readonly string[], outputs: readonly string[]): Graph {
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const keep = (names: readonly string[]) => names.filter((name) => used.has(name));
  const updates = new Map([...graph.updates].filter(([, value]) => nodes.some((node) => node.outputs.includes(value))));
  return {
    inputs: [...inputs, ...keep(graph.inputs)],
    parameters: keep(graph.parameters),
    // A running statistic that is only moved, never read by a normalisation, is used by its own update.
    buffers: keep(graph.buffers),
    nodes,
    outputs,
    updates,
    types: graph.types,
  };
}
