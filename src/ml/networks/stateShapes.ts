import type { Graph } from '../graph/graph.ts';

/** Names and shapes of a state dict, in its order. */
export type StateShapes = ReadonlyMap<string, readonly number[]>;

/** `layer1.0.bn1.weight` -> `layer1.0.bn1`. */
export function moduleOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}

/**
 * What torch's `state_dict()` of a graph's network holds, in its order: each module's parameters, then its running
 * statistics and, as torch keeps one after each `running_var`, the scalar `num_batches_tracked`, which the graph has no
 * use for.
 */
export function stateShapes(graph: Pick<Graph, 'parameters' | 'buffers' | 'types'>): StateShapes {
  const stored = new Set([...graph.parameters, ...graph.buffers]);
  const shapes = new Map<string, readonly number[]>();
  // `types` lists values in the order of their declaration, and the builder declares a module's tensors together.
  for (const [name, { shape }] of graph.types) {
    if (!stored.has(name)) continue;
    shapes.set(name, shape);
    if (name.endsWith('.running_var')) shapes.set(`${moduleOf(name)}.num_batches_tracked`, []);
  }
  return shapes;
}
