import { dependentsOf } from '../graph/differentiate.ts';
import { isNode, type Graph, type Node } from '../graph/graph.ts';
import { dropoutOperator } from '../operators/elementwise/dropout.ts';

/** The graph as it is used after training: dropout passes its input on, and the masks are not inputs any more. */
export function withoutDropout(graph: Graph): Graph {
  return leavingOut(graph, () => true);
}

/**
 * The graph without the dropout that lies ahead of a frozen parameter: what is frozen computes as after training, as its
 * batch norm does, and runs ahead of the training step.
 */
export function withoutFrozenDropout(graph: Graph, trainable: ReadonlySet<string>): Graph {
  const frozen = new Set(graph.parameters.filter((name) => !trainable.has(name)));
  if (frozen.size === 0) return graph;
  return leavingOut(graph, ({ outputs: [y = ''] }) => {
    const behind = dependentsOf(graph, [y]);
    return graph.nodes.some(
      ({ inputs }) => inputs.some((name) => behind.has(name)) && inputs.some((name) => frozen.has(name)),
    );
  });
}

function leavingOut(graph: Graph, isLeftOut: (dropout: Node) => boolean): Graph {
  const source = new Map<string, string>();
  const masks = new Set<string>();
  const through = (value: string): string => source.get(value) ?? value;
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const [x, mask] = node.inputs;
    const [y] = node.outputs;
    const isDropout = isNode(node, dropoutOperator) && x !== undefined && mask !== undefined && y !== undefined;
    if (isDropout && isLeftOut(node)) {
      source.set(y, through(x));
      masks.add(mask);
    } else {
      nodes.push({ ...node, inputs: node.inputs.map(through) });
    }
  }
  return {
    ...graph,
    nodes,
    inputs: graph.inputs.filter((name) => !masks.has(name)),
    outputs: graph.outputs.map(through),
  };
}
