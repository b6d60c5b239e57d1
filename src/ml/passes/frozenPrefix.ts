import { dependentsOf } from '../graph/differentiate.ts';
import { typeOf, type Graph, type Node } from '../graph/graph.ts';

/**
 * Cuts a forward graph where training begins: `prefix` is all that depends on no trainable parameter, on no dropout
 * mask and on no batch statistics, so it can run as plain inference; its outputs are inputs of `suffix` under the
 * same names. There is no prefix where nothing of weight is frozen.
 */
export function splitFrozen(graph: Graph, trainable: ReadonlySet<string>): { prefix?: Graph; suffix: Graph } {
  const masks = graph.inputs.filter((name) => name.endsWith('.mask'));
  const statistics = graph.nodes.flatMap(({ operator, outputs }) => (operator.living ? [outputs[0] ?? ''] : []));
  const living = dependentsOf(graph, [...trainable, ...masks, ...statistics]);
  const isLiving = (node: Node) => node.outputs.some((value) => living.has(value)) || node.operator.living === true;
  const frozen = graph.nodes.filter((node) => !isLiving(node));
  const learned = new Set(graph.parameters);
  const hasWeight = ({ inputs }: Node) =>
    inputs.some((value) => learned.has(value) && typeOf(graph, value).shape.length > 1);
  if (!frozen.some(hasWeight)) return { suffix: graph };
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
