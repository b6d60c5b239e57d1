import type { Graph } from '../../graph/graph.ts';
import { isNode, typeOf } from '../../graph/graph.ts';
import { createRandom } from '../../graph/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../graph/tensor.ts';
import { dropoutOperator } from '../../operators/elementwise/dropout.ts';

/** The graph's mask inputs with their rates, in the order of its nodes. */
export function maskInputs(graph: Graph): { readonly name: string; readonly rate: number }[] {
  return graph.nodes.flatMap((node) => {
    const name = node.inputs[1];
    return isNode(node, dropoutOperator) && name !== undefined ? [{ name, rate: node.attributes.rate }] : [];
  });
}

/**
 * The masks of one step by input name: 0 with probability `rate`, else `1 / (1 - rate)`. They depend on seed, step and
 * mask alone, so a resumed run draws the same ones, and they are drawn for the whole batch, so cutting it does not
 * change them. `graph` is the graph of the whole batch.
 */
export function dropoutMasks(graph: Graph, seed: number, step: number): Map<string, Tensor> {
  const masks = new Map<string, Tensor>();
  for (const { name, rate } of maskInputs(graph)) {
    const random = createRandom(seed, 'dropout', step, name);
    const { shape } = typeOf(graph, name);
    const kept = 1 / (1 - rate);
    const data = new Float32Array(elementCount(shape));
    // A loop: `Float32Array.from` with a function takes ten times as long.
    for (let at = 0; at < data.length; at++) data[at] = random.next() < rate ? 0 : kept;
    masks.set(name, float32Tensor(shape, data));
  }
  return masks;
}
