import type { Graph } from '../graph/graph.ts';
import { typeOf } from '../graph/graph.ts';

/** Names and shapes of a state dict, in its order. */
export type StateShapes = ReadonlyMap<string, readonly number[]>;

/** `layer1.0.bn1.weight` -> `layer1.0.bn1`. */
export function moduleOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}

/**
 * What torch's `state_dict()` of a graph's network holds, in its order: each module's parameters, then its running
 * statistics and, as torch keeps one, the scalar `num_batches_tracked`.
 */
export function stateShapes(graph: Pick<Graph, 'parameters' | 'buffers' | 'types'>): StateShapes {
  const shapes = new Map<string, readonly number[]>();
  const add = (name: string) => shapes.set(name, typeOf(graph, name).shape);
  const buffers = new Map<string, string[]>();
  for (const name of graph.buffers) {
    const module = moduleOf(name);
    buffers.set(module, [...(buffers.get(module) ?? []), name]);
  }
  graph.parameters.forEach((name, index) => {
    add(name);
    const module = moduleOf(name);
    if (moduleOf(graph.parameters[index + 1] ?? '') === module) return;
    for (const buffer of buffers.get(module) ?? []) {
      add(buffer);
      if (buffer.endsWith('.running_var')) shapes.set(`${module}.num_batches_tracked`, []);
    }
  });
  return shapes;
}
