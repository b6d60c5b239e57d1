import { isNode, type Graph, type Node } from '../graph/graph.ts';
import { dropoutOperator } from '../operators/elementwise/dropout.ts';

/** The graph as it is used after training: dropout passes its input on, and the masks are not inputs any more. */
export function withoutDropout(graph: Graph): Graph {
  const source = new Map<string, string>();
  const masks = new Set<string>();
  const through = (value: string): string => source.get(value) ?? value;
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const [x, mask] = node.inputs;
    const [y] = node.outputs;
    if (isNode(node, dropoutOperator) && x !== undefined && mask !== undefined && y !== undefined) {
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
